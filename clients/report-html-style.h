/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet of every page. */
#pragma once

extern const char report_html_style[];
