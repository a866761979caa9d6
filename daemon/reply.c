/* SPDX-License-Identifier: Apache-2.0 */
/* Freeing a reply waits for its report, if one is being made. */
#include "reply.h"

#include "report-job.h"

struct reply *reply_free(struct reply *reply) {
    if (!reply)
        return NULL;
    bytes_fini(&reply->body);
    bytes_fini(&reply->warnings);
    report_job_free(reply->job);
    free(reply);
    return NULL;
}
