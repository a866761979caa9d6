/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that knows a network beyond the bank's socket. libcurl is loaded when a witness is
 * asked and not before: linked in, its thirty libraries made every verb start 7 ms later (measured
 * on Debian 12), and the desk at a venue has no use for them. What a server says is bounded in
 * bytes and seconds; nothing but http and https is spoken, and no redirection is followed.
 */
#include "witness-http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define TIMEOUT_MS 10000L

/* Each is declared as libcurl declares it. */
static struct {
    void *library;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
} curl;

static const struct {
    const char *name;
    void *place;
} functions[] = {
    {"curl_global_init", &curl.global_init},       {"curl_easy_init", &curl.easy_init},
    {"curl_easy_cleanup", &curl.easy_cleanup},     {"curl_easy_perform", &curl.easy_perform},
    {"curl_easy_strerror", &curl.easy_strerror},   {"curl_slist_append", &curl.slist_append},
    {"curl_slist_free_all", &curl.slist_free_all}, {"curl_easy_setopt", &curl.easy_setopt},
    {"curl_easy_getinfo", &curl.easy_getinfo},
};

static int curl_load(char *why, size_t n_why) {
    if (curl.library)
        return 0;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < N_ELEMENTS(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function) {
            library = NULL;
            break;
        }
        memcpy(functions[i].place, &function, sizeof(function));
    }
    if (!library || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(why, n_why, "libcurl is missing: install the package libcurl4");
        return -ENOSYS;
    }
    curl.library = library;
    return 0;
}

struct reply {
    struct tb_http_answer *answer;
    bool is_too_large;
};

static size_t body_take(char *data, size_t size, size_t n, void *user) {
    struct reply *reply = user;
    struct tb_http_answer *answer = reply->answer;
    n *= size;
    if (n > sizeof(answer->body) - answer->n_body) {
        reply->is_too_large = true;
        return 0;
    }
    memcpy(answer->body + answer->n_body, data, n);
    answer->n_body += n;
    return n;
}

static CURLcode options_set(CURL *handle, const char *url, const void *body, size_t n,
                            const struct curl_slist *headers, struct reply *reply) {
    CURLcode r = curl.easy_setopt(handle, CURLOPT_URL, url);
#define SET(option, value)                                                                         \
    if (r == CURLE_OK)                                                                             \
    r = curl.easy_setopt(handle, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "timebank/" TIMEBANK_VERSION);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_POSTFIELDS, body);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    SET(CURLOPT_WRITEFUNCTION, body_take);
    SET(CURLOPT_WRITEDATA, reply);
#undef SET
    return r;
}

static int failure(CURLcode code, const struct reply *reply, char *why, size_t n_why) {
    if (reply->is_too_large) {
        snprintf(why, n_why, "its answer is longer than any of a witness");
        return -EMSGSIZE;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        snprintf(why, n_why, "no whole answer within %ld seconds", TIMEOUT_MS / 1000);
        return -ETIMEDOUT;
    }
    snprintf(why, n_why, "%s", curl.easy_strerror(code));
    return -EIO;
}

int witness_http_post(void *user, const char *url, const void *body, size_t n,
                      struct tb_http_answer *ret_answer, char *why, size_t n_why) {
    struct reply reply = {.answer = ret_answer};
    long status = 0;
    (void)user;
    int r = curl_load(why, n_why);
    if (r < 0)
        return r;
    ret_answer->n_body = 0;
    CURL *handle = curl.easy_init();
    struct curl_slist *headers = curl.slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    CURLcode code = handle && headers ? options_set(handle, url, body, n, headers, &reply)
                                      : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK)
        code = curl.easy_perform(handle);
    if (code == CURLE_OK)
        code = curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    r = code == CURLE_OK ? 0 : failure(code, &reply, why, n_why);
    ret_answer->status = (int)status;
    curl.easy_cleanup(handle);
    curl.slist_free_all(headers);
    return r;
}
