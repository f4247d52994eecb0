// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * html - for a browser: one page that needs nothing else, and may ask for nothing (its policy says so to the browser, too).
 *
 * A dialogue is a list, each row with its notes, and its packets to unfold. What arrows and lines show is there in words for those who are
 * read to. Without its script the page is whole, but for the search.
 */
#include "core/wire/segment.h"
#include "html_page.h"
#include "markup.h"
#include "writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define FLAGS_MAX 32

struct pen {
	FILE *out;
	bool router;
	bool no_memory;
};

static void put_text(struct pen *pen, const struct ladder_text *text)
{
	pen->no_memory |= !markup_put_text(pen->out, text);
}

static const char *flags_of(uint8_t flags, char text[FLAGS_MAX])
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = { { TCP_SYN, " SYN" }, { TCP_FIN, " FIN" }, { TCP_RST, " RST" },
		      { TCP_PSH, " PSH" }, { TCP_ACK, " ACK" }, { TCP_URG, " URG" } };
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			at += (size_t)snprintf(text + at, FLAGS_MAX - at, "%s", names[i].name);
	return text;
}

static void put_packet(const struct pen *pen, const struct ladder_packet *packet)
{
	char flags[FLAGS_MAX];

	fprintf(pen->out,
		"<li>packet %" PRIu64 ", at %" PRId64 ".%06" PRId64 " s, %s,%s, sequence number %" PRIu32
		", acknowledges %" PRIu32 ", %" PRIu32 " byte%s%s%s</li>\n",
		packet->number, packet->time / 1000000, packet->time % 1000000, markup_ways[packet->way].words,
		flags_of(packet->flags, flags), packet->seq, packet->ack, packet->length,
		packet->length == 1 ? "" : "s", packet->fate[0] ? ": " : "", packet->fate);
}

static void put_packets(const struct pen *pen, const struct ladder_row *row)
{
	const uint64_t count = row->packet_count + row->packets_left_out;

	if (row->packet_count == 0)
		return;
	fprintf(pen->out, "<details><summary>%" PRIu64 " packet%s</summary><ol>\n", count, count == 1 ? "" : "s");
	for (size_t i = 0; i < row->packet_count; i++)
		put_packet(pen, &row->packets[i]);
	if (row->packets_left_out)
		fprintf(pen->out, "<li>and %" PRIu64 " more</li>\n", row->packets_left_out);
	fputs("</ol></details>\n", pen->out);
}

static void put_notes(struct pen *pen, const struct ladder_row *row)
{
	if (row->note_count == 0)
		return;
	fputs("<dl class=\"notes\">\n", pen->out);
	for (size_t i = 0; i < row->note_count; i++) {
		const struct ladder_note *note = &row->notes[i];

		fprintf(pen->out, "<dt%s>%s</dt><dd>", note->kind == LADDER_NOTE_REFUSED ? " class=\"bad\"" : "",
			ladder_note_name(note->kind));
		put_text(pen, &note->text);
		fputs("</dd>\n", pen->out);
	}
	fputs("</dl>\n", pen->out);
}

static void put_said(struct pen *pen, const char *class, const char *words, const struct ladder_text *text)
{
	fprintf(pen->out, "<span class=\"said%s\"><span class=\"unseen\">%s</span><code>", class, words);
	put_text(pen, text);
	fputs("</code></span>", pen->out);
}

/* From left to right; who is read to hears who says it, and which of two texts this is. */
static void put_content(struct pen *pen, const struct ladder_row *row)
{
	const bool back = row->way == LADDER_TO_CLIENT;
	char words[64];

	snprintf(words, sizeof(words), ", %s%s: ", markup_ways[row->way].words, row->received.bytes ? ", as sent" : "");
	if (!row->received.bytes) {
		put_said(pen, "", words, &row->text);
	} else if (back) {
		put_said(pen, " got", ", as the client gets it from the router: ", &row->received);
		put_said(pen, " sent", words, &row->text);
	} else {
		put_said(pen, " sent", words, &row->text);
		put_said(pen, " got", ", as the server gets it from the router: ", &row->received);
	}
}

static const char *classes_of(const struct ladder_row *row, char text[64])
{
	static const char *const kinds[] = {
		[LADDER_CONTROL] = "",	       [LADDER_LINE] = "",	[LADDER_STEP] = "",
		[LADDER_MISSING] = " missing", [LADDER_DATA] = " data",
	};

	snprintf(text, 64, "row %s%s%s%s", markup_ways[row->way].class, kinds[row->kind],
		 row->received.bytes ? " changed" : "", ladder_has_note(row, LADDER_NOTE_REFUSED) ? " refused" : "");
	return text;
}

static void put_row(struct pen *pen, const struct ladder_row *row)
{
	char classes[64];

	fprintf(pen->out,
		"<li class=\"%s\"><div class=\"step\"><span class=\"time\">%" PRId64 ".%06" PRId64
		"<span class=\"unseen\"> s, </span></span><span class=\"client port\"><span class=\"unseen\">client port "
		"</span>%u</span>",
		classes_of(row, classes), row->time / 1000000, row->time % 1000000, row->port[LADDER_CLIENT]);
	put_content(pen, row);
	fprintf(pen->out,
		"<span class=\"server port\"><span class=\"unseen\">, server port </span>%u</span></div>\n<div class=\"more\">\n",
		row->port[LADDER_SERVER]);
	put_notes(pen, row);
	put_packets(pen, row);
	fputs("</div></li>\n", pen->out);
}

static void put_end(const struct pen *pen, const struct ladder_dialogue *dialogue, enum ladder_side side)
{
	const bool server = side == LADDER_SERVER;
	char end[ENDPOINT_PRINT_MAX], seen[ENDPOINT_PRINT_MAX];

	endpoint_print(&dialogue->end[side], end);
	endpoint_print(&dialogue->seen[side], seen);
	fprintf(pen->out, "<dt>%s</dt><dd><code>%s</code>", server ? "server" : "client", end);
	if (!endpoint_equal(&dialogue->end[side], &dialogue->seen[side]))
		fprintf(pen->out, ", which the %s knows as <code>%s</code>", server ? "client" : "server", seen);
	fputs("</dd>", pen->out);
}

static void put_dialogue(struct pen *pen, const struct ladder_dialogue *dialogue, size_t number)
{
	fprintf(pen->out,
		"<section aria-labelledby=\"d%zu\"%s><h2 id=\"d%zu\">Control connection %zu</h2>\n<dl class=\"ends\">",
		number, pen->router ? " class=\"router\"" : "", number, number);
	put_end(pen, dialogue, LADDER_CLIENT);
	put_end(pen, dialogue, LADDER_SERVER);
	fprintf(pen->out,
		"</dl>\n<div class=\"heads\" aria-hidden=\"true\"><span class=\"head-time\">time</span><span>client</span>"
		"<span class=\"middle\">%s</span><span class=\"server\">server</span></div>\n<ol class=\"ladder\">\n",
		pen->router ? "router" : "content");
	for (size_t i = 0; i < dialogue->row_count; i++)
		put_row(pen, dialogue->rows[i]);
	fputs("</ol></section>\n", pen->out);
}

static size_t count_rows(const struct ladder *ladder, enum ladder_note_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < ladder->dialogue_count; i++)
		for (size_t j = 0; j < ladder->dialogues[i]->row_count; j++)
			count += ladder_has_note(ladder->dialogues[i]->rows[j], kind);
	return count;
}

static void put_list(struct pen *pen, const struct ladder *ladder)
{
	char client[ENDPOINT_PRINT_MAX], server[ENDPOINT_PRINT_MAX];

	if (ladder->dialogue_count < 2)
		return;
	fputs("<nav aria-label=\"Control connections\"><ol>\n", pen->out);
	for (size_t i = 0; i < ladder->dialogue_count; i++)
		fprintf(pen->out, "<li><a href=\"#d%zu\">%s to %s</a></li>\n", i + 1,
			endpoint_print(&ladder->dialogues[i]->end[LADDER_CLIENT], client),
			endpoint_print(&ladder->dialogues[i]->end[LADDER_SERVER], server));
	fputs("</ol></nav>\n", pen->out);
}

static void put_head(struct pen *pen, const struct ladder_text *path)
{
	fprintf(pen->out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
		"script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n<title>FTP explained: ",
		html_script_hash);
	put_text(pen, path);
	fprintf(pen->out, "</title>\n<style>%s</style></head>\n<body><header><h1>FTP explained: <code>", html_style);
	put_text(pen, path);
	fputs("</code></h1>\n", pen->out);
}

int writer_html(const struct ladder *ladder, FILE *out)
{
	struct pen pen = { .out = out, .router = ladder->router };
	const struct ladder_text path = { (char *)ladder->path, strlen(ladder->path) };

	put_head(&pen, &path);
	fprintf(out,
		"<p>%zu control connection%s; ports announced: %zu, of these rewritten: %zu, let in: %zu; rows with something "
		"refused: %zu.</p>\n",
		ladder->dialogue_count, ladder->dialogue_count == 1 ? "" : "s", count_rows(ladder, LADDER_NOTE_SUM),
		count_rows(ladder, LADDER_NOTE_REWRITE), count_rows(ladder, LADDER_NOTE_EXPECT),
		count_rows(ladder, LADDER_NOTE_REFUSED));
	put_list(&pen, ladder);
	fputs("</header>\n<form id=\"find\" role=\"search\" hidden><label for=\"query\">Rows that contain</label>"
	      "<input id=\"query\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\">"
	      "<output id=\"found\" for=\"query\"></output></form>\n<main>\n",
	      out);
	for (size_t i = 0; i < ladder->dialogue_count; i++)
		put_dialogue(&pen, ladder->dialogues[i], i + 1);
	fprintf(out, "</main>\n<script>%s</script>\n</body></html>\n", html_script);
	return pen.no_memory ? -ENOMEM : 0;
}
