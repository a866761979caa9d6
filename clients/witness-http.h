/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One POST to a web server, by libcurl.
 */
#pragma once

#include "timebank.h"

/* The post() of struct tb_witness_ask; user is not used. */
int witness_http_post(void *user, const char *url, const void *body, size_t n,
                      struct tb_http_answer *ret_answer, char *why, size_t n_why);
