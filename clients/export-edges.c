/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exchanged with whom, for network tools: a table of edges, or GraphML 1.0. Names are the
 * reply's, made up for it alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "csv-out.h"
#include "export.h"

struct edge {
    const char *giver;
    const char *receiver;
    int64_t minutes;
    int64_t n_entries;
};

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *name_at(const json_t *people, const json_t *place) {
    json_int_t i = json_is_integer(place) ? json_integer_value(place) : -1;
    const char *name = i >= 0 ? json_string_value(json_array_get(people, (size_t)i)) : NULL;
    return name ? name : "";
}

/* An edge is giver and receiver, as places among the people, minutes and entries. */
static struct edge edge_of(const json_t *people, const json_t *list) {
    return (struct edge){.giver = name_at(people, json_array_get(list, 0)),
                         .receiver = name_at(people, json_array_get(list, 1)),
                         .minutes = json_integer_value(json_array_get(list, 2)),
                         .n_entries = json_integer_value(json_array_get(list, 3))};
}

static void print_csv(const json_t *people, const json_t *edges) {
    static const char *const columns[] = {"giver", "receiver", "minutes", "entries"};
    size_t i;
    const json_t *item;
    csv_out_begin();
    for (i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
    json_array_foreach(edges, i, item) {
        struct edge edge = edge_of(people, item);
        csv_out_text(edge.giver);
        csv_out_text(edge.receiver);
        csv_out_number(edge.minutes);
        csv_out_number(edge.n_entries);
        csv_out_end();
    }
}

/* U+FFFE and U+FFFF, which XML has not. */
static bool is_no_character(const char *text) {
    return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

/* A bank's name may hold nearly anything. */
static void put_xml(const char *text) {
    for (; *text; text++) {
        if (is_no_character(text)) {
            putchar(' ');
            text += 2;
            continue;
        }
        switch (*text) {
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '&':
            fputs("&amp;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            putchar((unsigned char)*text < 0x20 ? ' ' : *text);
        }
    }
}

static void print_graphml_head(const json_t *report) {
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\""
          " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
          " xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns"
          " http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
          "  <desc>Exchanges of ",
          stdout);
    put_xml(text_of(report, "bank"));
    fputs(", ", stdout);
    put_xml(text_of(report, "from"));
    fputs(" to ", stdout);
    put_xml(text_of(report, "to"));
    fputs(": who gave to whom. Names are made up for this export alone.</desc>\n"
          "  <key id=\"minutes\" for=\"edge\" attr.name=\"minutes\" attr.type=\"long\"/>\n"
          "  <key id=\"entries\" for=\"edge\" attr.name=\"entries\" attr.type=\"long\"/>\n"
          "  <graph id=\"exchanges\" edgedefault=\"directed\">\n",
          stdout);
}

static void print_graphml(const json_t *report, const json_t *people, const json_t *edges) {
    size_t i;
    const json_t *item;
    print_graphml_head(report);
    json_array_foreach(people, i, item) {
        fputs("    <node id=\"", stdout);
        put_xml(json_string_value(item) ? json_string_value(item) : "");
        fputs("\"/>\n", stdout);
    }
    json_array_foreach(edges, i, item) {
        struct edge edge = edge_of(people, item);
        fputs("    <edge source=\"", stdout);
        put_xml(edge.giver);
        fputs("\" target=\"", stdout);
        put_xml(edge.receiver);
        printf("\"><data key=\"minutes\">%" PRId64 "</data><data key=\"entries\">%" PRId64
               "</data></edge>\n",
               edge.minutes, edge.n_entries);
    }
    fputs("  </graph>\n</graphml>\n", stdout);
}

int export_edges_print(const json_t *report, bool as_graphml) {
    const json_t *people = json_object_get(report, "people");
    const json_t *edges = json_object_get(report, "edges");
    if (!json_is_array(people) || !json_is_array(edges))
        return -EBADMSG;
    if (as_graphml)
        print_graphml(report, people, edges);
    else
        print_csv(people, edges);
    return 0;
}
