// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svg - for a page or a slide: one picture, as long as it takes, light or dark as its viewer is.
 *
 * Each row is an arrow between the lines of client and server, with its text above; what a router changes is two, with the router's line between.
 * The letters are of one width, CHARACTER of the picture's units each, so that it is known here how much goes into a line. Below an
 * announcement its notes stand in a box. How high the picture is is known at its end, so it is written to memory first.
 */
#include "markup.h"
#include "printable.h"
#include "writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH	  1000
#define MARGIN	  20
#define CLIENT	  190 /* where the lines of the three stand */
#define SERVER	  930
#define ROUTER	  ((CLIENT + SERVER) / 2)
#define GAP	  8 /* between a line and a text beside it */
#define CHARACTER 7.9
#define LINE	  17 /* of text: its height */
#define NOTE_NAME 80
#define DOT	  4 /* where the router changes something */

struct pen {
	FILE *out;
	bool router;
	bool no_memory;
	int y; /* the upper end of what comes next */
};

static const char style[] =
	"svg{--ground:#fff;--ink:#1b1f24;--pale:#59636e;--life:#8a94a0;--box:#f1f4f8;--up:#0b5cad;--down:#7a3e9d;--data:#1a6b32;"
	"--bad:#b3261e;color-scheme:light dark;font:13px ui-monospace,\"DejaVu Sans Mono\",monospace}"
	"@media(prefers-color-scheme:dark){svg{--ground:#11151a;--ink:#e6e9ee;--pale:#a7b0bb;--life:#6b7683;--box:#1c2229;"
	"--up:#6cb6ff;--down:#d2a8ff;--data:#56d364;--bad:#ff8a80}}"
	".ground{fill:var(--ground)}text{fill:var(--ink);white-space:pre}.pale{fill:var(--pale)}.title{font-weight:bold;font-size:16px}"
	".life{stroke:var(--life);stroke-dasharray:4 4}.box{fill:var(--box)}.name{font-weight:bold}.refused{fill:var(--bad)}"
	".said{paint-order:stroke;stroke:var(--ground);stroke-width:5px}" /* the router's line is behind it */
	".arrow{stroke-width:1.5;fill:none}.data{stroke-width:4}.missing{stroke-dasharray:2 5}"
	".up{stroke:var(--up)}.down{stroke:var(--down)}.both{stroke:var(--pale)}.data{stroke:var(--data)}";

static size_t columns(int width)
{
	return (size_t)(width / CHARACTER);
}

/* A line of text; class: of the style. */
static void put_line(const struct pen *pen, int x, int y, const char *class, const char *text, size_t length)
{
	fprintf(pen->out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	markup_put(pen->out, text, length);
	fputs("</text>\n", pen->out);
}

/* As many lines as it takes. Return: where the next would stand. */
static int put_wrapped(const struct pen *pen, int x, int y, int width, const char *class, const char *text)
{
	while (*text) {
		const size_t length = printable_line(text, columns(width));

		put_line(pen, x, y, class, text, length);
		y += LINE;
		text += length;
		while (*text == ' ')
			text++;
	}
	return y;
}

/* The same, of what has not been made printable. */
static int put_text(struct pen *pen, int x, int y, int width, const char *class, const struct ladder_text *text)
{
	char *shown = printable(text->bytes ? text->bytes : "", text->length, true);

	if (shown)
		y = put_wrapped(pen, x, y, width, class, shown);
	else
		pen->no_memory = true;
	free(shown);
	return y;
}

static void put_arrow(const struct pen *pen, const struct ladder_row *row, int from, int to, int y)
{
	const bool back = row->way == LADDER_TO_CLIENT;
	const int tip = back ? from : to, side = back ? 8 : -8;

	fprintf(pen->out, "<path class=\"arrow %s%s\" d=\"M%d %dH%d", markup_ways[row->way].class,
		row->kind == LADDER_DATA    ? " data" :
		row->kind == LADDER_MISSING ? " missing" :
					      "",
		from, y, to);
	if (row->way != LADDER_BOTH_WAYS)
		fprintf(pen->out, "M%d %dl%d -4M%d %dl%d 4", tip, y, side, tip, y, side);
	fputs("\"/>\n", pen->out);
}

static void put_ends(const struct pen *pen, const struct ladder_row *row, int y)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64, row->time / 1000000, row->time % 1000000);
	put_line(pen, MARGIN, y, "pale", text, strlen(text));
	snprintf(text, sizeof(text), "%5u", row->port[LADDER_CLIENT]);
	put_line(pen, CLIENT - GAP - (int)(5 * CHARACTER), y, "port", text, strlen(text));
	snprintf(text, sizeof(text), "%u", row->port[LADDER_SERVER]);
	put_line(pen, SERVER + GAP, y, "port", text, strlen(text));
}

static void put_row(struct pen *pen, const struct ladder_row *row)
{
	const bool changed = row->received.bytes != NULL, back = row->way == LADDER_TO_CLIENT;
	const int first = pen->y + LINE, middle = changed ? ROUTER : SERVER;
	int y = put_text(pen, CLIENT + GAP, first, middle - CLIENT - 2 * GAP, "said",
			 changed && back ? &row->received : &row->text);

	if (changed) {
		const int other = put_text(pen, ROUTER + GAP, first, SERVER - ROUTER - 2 * GAP, "said",
					   back ? &row->text : &row->received);

		y = other > y ? other : y;
	}
	if (y == first) /* an empty line is one, too */
		y += LINE;
	y -= LINE / 2;
	put_ends(pen, row, first);
	put_arrow(pen, row, CLIENT, changed ? ROUTER - DOT : SERVER, y);
	if (changed) {
		put_arrow(pen, row, ROUTER + DOT, SERVER, y);
		fprintf(pen->out, "<circle class=\"box\" stroke=\"currentColor\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n",
			ROUTER, y, DOT);
	}
	pen->y = y + 4;
}

/* Their box is known when they have been written, and stands behind them. */
static void put_notes(struct pen *pen, const struct ladder_row *row)
{
	const int left = CLIENT + GAP, top = pen->y + 4;
	FILE *out = pen->out;
	char *notes = NULL;
	size_t length;
	int y = top + LINE;

	if (row->note_count == 0)
		return;
	pen->out = open_memstream(&notes, &length);
	if (!pen->out) {
		pen->no_memory = true;
		pen->out = out;
		return;
	}
	for (size_t i = 0; i < row->note_count; i++) {
		const struct ladder_note *note = &row->notes[i];
		const char *name = ladder_note_name(note->kind);

		put_line(pen, left + GAP, y, note->kind == LADDER_NOTE_REFUSED ? "name refused" : "name", name,
			 strlen(name));
		y = put_text(pen, left + GAP + NOTE_NAME, y, SERVER - left - NOTE_NAME - 3 * GAP, "note", &note->text);
	}
	pen->no_memory |= fclose(pen->out) != 0;
	pen->out = out;
	pen->y = y - LINE + 8;
	fprintf(out, "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n%s", left, top,
		SERVER - GAP - left, pen->y - top, notes ? notes : "");
	free(notes);
}

static void put_end(struct pen *pen, const struct ladder_dialogue *dialogue, enum ladder_side side)
{
	char end[ENDPOINT_PRINT_MAX], seen[ENDPOINT_PRINT_MAX], text[2 * ENDPOINT_PRINT_MAX + 64];
	const bool server = side == LADDER_SERVER;
	const int length = snprintf(text, sizeof(text), "%s %s", server ? "server" : "client",
				    endpoint_print(&dialogue->end[side], end));

	endpoint_print(&dialogue->seen[side], seen);
	if (!endpoint_equal(&dialogue->end[side], &dialogue->seen[side]))
		snprintf(text + length, sizeof(text) - (size_t)length, ", to the %s %s", server ? "client" : "server",
			 seen);
	pen->y = put_wrapped(pen, MARGIN, pen->y + LINE, WIDTH - 2 * MARGIN, "pale", text) - LINE;
}

static void put_life(const struct pen *pen, int x, int top, const char *name)
{
	put_line(pen, x - (int)(CHARACTER * (double)strlen(name) / 2), top - 4, "name", name, strlen(name));
	fprintf(pen->out, "<path class=\"life\" d=\"M%d %dV%d\"/>\n", x, top, pen->y + LINE);
}

/* The lines between which a dialogue is, behind it: so it is kept until they are known. */
static void put_dialogue(struct pen *pen, const struct ladder_dialogue *dialogue, size_t number)
{
	FILE *out = pen->out;
	char title[64], *rows = NULL;
	size_t length;
	int top;

	snprintf(title, sizeof(title), "Control connection %zu", number);
	put_line(pen, MARGIN, pen->y + 2 * LINE, "title", title, strlen(title));
	pen->y += 2 * LINE;
	put_end(pen, dialogue, LADDER_CLIENT);
	put_end(pen, dialogue, LADDER_SERVER);
	pen->y += 2 * LINE;
	top = pen->y;
	pen->out = open_memstream(&rows, &length);
	if (!pen->out) {
		pen->no_memory = true;
		pen->out = out;
		return;
	}
	for (size_t i = 0; i < dialogue->row_count; i++) {
		put_row(pen, dialogue->rows[i]);
		put_notes(pen, dialogue->rows[i]);
	}
	pen->no_memory |= fclose(pen->out) != 0;
	pen->out = out;
	put_life(pen, CLIENT, top, "client");
	put_life(pen, SERVER, top, "server");
	if (pen->router)
		put_life(pen, ROUTER, top, "router");
	fputs(rows ? rows : "", out);
	free(rows);
	pen->y += 2 * LINE;
}

static void put_head(const struct ladder *ladder, FILE *out, const char *path, int height)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-labelledby=\"title\">\n<title id=\"title\">The FTP dialogues of ",
		WIDTH, height, WIDTH, height);
	markup_put(out, path, strlen(path));
	fprintf(out, ": %zu control connection%s</title>\n<style>%s</style>\n", ladder->dialogue_count,
		ladder->dialogue_count == 1 ? "" : "s", style);
	fprintf(out, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height);
}

int writer_svg(const struct ladder *ladder, FILE *out)
{
	char *body = NULL, *path = printable(ladder->path, strlen(ladder->path), true);
	size_t length;
	struct pen pen = { .out = open_memstream(&body, &length), .router = ladder->router, .y = MARGIN };
	bool no_memory = !pen.out || !path;

	if (!no_memory) {
		pen.y = put_wrapped(&pen, MARGIN, pen.y + LINE, WIDTH - 2 * MARGIN, "pale", path) - LINE;
		for (size_t i = 0; i < ladder->dialogue_count; i++)
			put_dialogue(&pen, ladder->dialogues[i], i + 1);
	}
	if (pen.out)
		no_memory |= fclose(pen.out) != 0;
	if (!no_memory && body) {
		put_head(ladder, out, path, pen.y + MARGIN);
		fputs(body, out);
		fputs("</svg>\n", out);
	}
	free(body);
	free(path);
	return no_memory || pen.no_memory ? -ENOMEM : 0;
}
