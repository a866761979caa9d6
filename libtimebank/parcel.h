/* SPDX-License-Identifier: Apache-2.0 */
/* A batch packed for its way. */
#pragma once

#include "batch.h"

/* A submit and all that it points to. */
struct parcel {
    Timebank__Submit submit;
    struct arena arena;
};

/* Fills an all-zero parcel; it borrows from the batch. */
int parcel_fill(struct tb_batch *batch, struct parcel *parcel) TB_MUST_CHECK;
void parcel_fini(struct parcel *parcel);
