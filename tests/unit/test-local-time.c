/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local time against vectors of Python's zoneinfo (Europe/London, Europe/Berlin, Europe/Athens):
 * the last millisecond before and the first of each change of seven years, and instants at random.
 * Made by: datetime.fromtimestamp(ms / 1000, timezone.utc).astimezone(ZoneInfo(name)).
 */
#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/local-time.h"

TestSuite(local_time, .timeout = 30);

static const struct {
    const char *zone;
    uint64_t at_ms;
    uint32_t minute;
} vectors[] = {
    {"uk", 828233999999u, 59},     {"uk", 828234000000u, 120},    {"uk", 846377999999u, 119},
    {"uk", 846378000000u, 60},     {"cet", 828233999999u, 119},   {"cet", 828234000000u, 180},
    {"cet", 846377999999u, 179},   {"cet", 846378000000u, 120},   {"eet", 828233999999u, 179},
    {"eet", 828234000000u, 240},   {"eet", 846377999999u, 239},   {"eet", 846378000000u, 180},
    {"uk", 954032399999u, 59},     {"uk", 954032400000u, 120},    {"uk", 972781199999u, 119},
    {"uk", 972781200000u, 60},     {"cet", 954032399999u, 119},   {"cet", 954032400000u, 180},
    {"cet", 972781199999u, 179},   {"cet", 972781200000u, 120},   {"eet", 954032399999u, 179},
    {"eet", 954032400000u, 240},   {"eet", 972781199999u, 239},   {"eet", 972781200000u, 180},
    {"uk", 1711846799999u, 59},    {"uk", 1711846800000u, 120},   {"uk", 1729990799999u, 119},
    {"uk", 1729990800000u, 60},    {"cet", 1711846799999u, 119},  {"cet", 1711846800000u, 180},
    {"cet", 1729990799999u, 179},  {"cet", 1729990800000u, 120},  {"eet", 1711846799999u, 179},
    {"eet", 1711846800000u, 240},  {"eet", 1729990799999u, 239},  {"eet", 1729990800000u, 180},
    {"uk", 1743296399999u, 59},    {"uk", 1743296400000u, 120},   {"uk", 1761440399999u, 119},
    {"uk", 1761440400000u, 60},    {"cet", 1743296399999u, 119},  {"cet", 1743296400000u, 180},
    {"cet", 1761440399999u, 179},  {"cet", 1761440400000u, 120},  {"eet", 1743296399999u, 179},
    {"eet", 1743296400000u, 240},  {"eet", 1761440399999u, 239},  {"eet", 1761440400000u, 180},
    {"uk", 1774745999999u, 59},    {"uk", 1774746000000u, 120},   {"uk", 1792889999999u, 119},
    {"uk", 1792890000000u, 60},    {"cet", 1774745999999u, 119},  {"cet", 1774746000000u, 180},
    {"cet", 1792889999999u, 179},  {"cet", 1792890000000u, 120},  {"eet", 1774745999999u, 179},
    {"eet", 1774746000000u, 240},  {"eet", 1792889999999u, 239},  {"eet", 1792890000000u, 180},
    {"uk", 1932598799999u, 59},    {"uk", 1932598800000u, 120},   {"uk", 1950742799999u, 119},
    {"uk", 1950742800000u, 60},    {"cet", 1932598799999u, 119},  {"cet", 1932598800000u, 180},
    {"cet", 1950742799999u, 179},  {"cet", 1950742800000u, 120},  {"eet", 1932598799999u, 179},
    {"eet", 1932598800000u, 240},  {"eet", 1950742799999u, 239},  {"eet", 1950742800000u, 180},
    {"uk", 2121901199999u, 59},    {"uk", 2121901200000u, 120},   {"uk", 2140045199999u, 119},
    {"uk", 2140045200000u, 60},    {"cet", 2121901199999u, 119},  {"cet", 2121901200000u, 180},
    {"cet", 2140045199999u, 179},  {"cet", 2140045200000u, 120},  {"eet", 2121901199999u, 179},
    {"eet", 2121901200000u, 240},  {"eet", 2140045199999u, 239},  {"eet", 2140045200000u, 180},
    {"cet", 1157916332516u, 1285}, {"cet", 929007757392u, 702},   {"uk", 2003481185316u, 693},
    {"uk", 2104603676152u, 1267},  {"uk", 1939436478868u, 321},   {"uk", 1012272403672u, 166},
    {"cet", 975252691099u, 991},   {"uk", 2034703186905u, 1219},  {"cet", 1096144344783u, 1352},
    {"uk", 2090413847793u, 870},   {"eet", 932210712084u, 865},   {"uk", 2047398550448u, 1069},
    {"uk", 1743499663766u, 627},   {"uk", 1083153065964u, 771},   {"eet", 2052818366008u, 799},
    {"eet", 1047247313291u, 1},    {"eet", 1639983486149u, 538},  {"uk", 2060353057847u, 1037},
    {"uk", 1276762992049u, 563},   {"cet", 1994286200148u, 83},   {"cet", 1513665739544u, 462},
    {"cet", 1619648161840u, 16},   {"cet", 1359058087456u, 1268}, {"uk", 1482729927343u, 325},
    {"eet", 1456420720698u, 1158}, {"eet", 986256408888u, 186},   {"uk", 1744454536124u, 702},
    {"uk", 1578003972351u, 1346},  {"uk", 1900882989026u, 1383},  {"cet", 993506489808u, 1},
    {"eet", 1571804644812u, 444},  {"eet", 2130306862715u, 654},  {"cet", 975416042346u, 834},
    {"uk", 1419895661270u, 1407},  {"cet", 956555958962u, 479},   {"eet", 1504750518070u, 315},
};

Test(local_time, agrees_with_the_time_zone_data_of_python) {
    for (size_t i = 0; i < N_ELEMENTS(vectors); i++)
        cr_assert_eq(local_time_minute(vectors[i].zone, vectors[i].at_ms), vectors[i].minute,
                     "%s at %llu", vectors[i].zone, (unsigned long long)vectors[i].at_ms);
}

Test(local_time, of_utc_and_of_a_zone_that_is_none_knows_no_summer) {
    uint64_t july = 20270ull * MS_PER_DAY + 90 * 60000; /* 1 July 2025, 01:30 */
    cr_assert_eq(local_time_minute("utc", july), 90);
    cr_assert_eq(local_time_minute("mars", july), 90);
    cr_assert_eq(local_time_minute("uk", july), 150);
}

Test(local_time, goes_round_at_midnight) {
    uint64_t late = 20270ull * MS_PER_DAY + (23 * 60 + 30) * 60000ull;
    cr_assert_eq(local_time_minute("cet", late), 90);
    cr_assert_eq(local_time_minute("eet", 0), 120);
}
