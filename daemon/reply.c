/* SPDX-License-Identifier: Apache-2.0 */
/* Freeing a reply waits for its job, if one is under way. */
#include "reply.h"

#include "job.h"

void reply_fini(struct reply *reply) {
    bytes_fini(&reply->body);
    bytes_fini(&reply->warnings);
    reply->job = job_free(reply->job);
}

struct reply *reply_free(struct reply *reply) {
    if (!reply)
        return NULL;
    reply_fini(reply);
    free(reply);
    return NULL;
}
