/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report's measures in words, out of the one table that says what each of them is.
 */
#include <string.h>

#include "base/cleanup.h"
#include "timebank.h"

#define MEASURE(group, key, unit, title, formula)                                                  \
    {TB_MEASURES_##group, TB_UNIT_##unit, key, title, formula},
static const struct tb_measure measures[] = {
#include "proto/measures.def"
};
#undef MEASURE

static const struct tb_measure *find(const char *breakdown, size_t n, const char *column) {
    for (size_t i = 0; i < N_ELEMENTS(measures); i++) {
        const char *key = measures[i].key;
        if (strncmp(key, breakdown, n) != 0)
            continue;
        if (column ? key[n] == '/' && strcmp(key + n + 1, column) == 0 : key[n] == '\0')
            return &measures[i];
    }
    return NULL;
}

/* A name between the two may have strokes of its own. */
const struct tb_measure *tb_measure_find(const char *path) {
    if (!path)
        return NULL;
    size_t n = strcspn(path, "/");
    const struct tb_measure *measure = find(path, n, NULL);
    const char *column = strrchr(path, '/');
    if (!measure || path[n] == '\0')
        return measure;
    if (measure->unit != TB_UNIT_TABLE || column[1] == '\0')
        return NULL;
    if (column == path + n)
        column = NULL;
    const struct tb_measure *of_column = column ? find(path, n, column + 1) : NULL;
    return of_column ? of_column : measure;
}

const struct tb_measure *tb_measure_next(const struct tb_measure *measure) {
    if (!measure)
        return measures;
    return measure >= measures && measure + 1 < measures + N_ELEMENTS(measures) ? measure + 1
                                                                                : NULL;
}
