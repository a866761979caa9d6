/* SPDX-License-Identifier: Apache-2.0 */
/* Freeing a reply waits for its job, if one is under way. */
#include "reply.h"

#include "job.h"

struct reply *reply_free(struct reply *reply) {
    if (!reply)
        return NULL;
    bytes_fini(&reply->body);
    bytes_fini(&reply->warnings);
    job_free(reply->job);
    free(reply);
    return NULL;
}
