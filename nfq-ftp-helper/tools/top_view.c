// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_view.h"

#include "asking/tell.h"

#include <curses.h>
#include <stdlib.h>

#define HEAD 6 /* lines above the table */
#define FOOT 2 /* and below */

static const struct {
	const char *member;
	char key;
	bool number;
} sorts[TOP_SORTS] = {
	[TOP_BY_CLIENT] = { "client", 'c', false }, [TOP_BY_SERVER] = { "server", 's', false },
	[TOP_BY_STATE] = { "state", 't', false },   [TOP_BY_AGE] = { "age", 'a', true },
	[TOP_BY_IDLE] = { "idle", 'i', true },	    [TOP_BY_EXPECTATIONS] = { "expectations", 'e', true },
};

char top_view_key(enum top_sort sort)
{
	return sorts[sort].key;
}

/* ---- sorting ---- */

static int compare(const void *a, const void *b, void *context)
{
	const struct top_view *view = context;
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	const char *member = sorts[view->sort].member;
	char one[CLIENT_TEXT_MAX], other[CLIENT_TEXT_MAX];
	int order;

	if (sorts[view->sort].number)
		order = (tell_number(left, member) > tell_number(right, member)) -
			(tell_number(left, member) < tell_number(right, member));
	else
		order = strcmp(client_text(left, member, one), client_text(right, member, other));
	if (!order)
		order = strcmp(client_text(left, "client", one), client_text(right, "client", other));
	return view->backwards ? -order : order;
}

static bool is_same(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "client"), json_object_get(b, "client")) &&
	       json_equal(json_object_get(a, "server"), json_object_get(b, "server"));
}

json_t *top_view_selected(const struct top_view *view)
{
	return json_array_get(view->sessions, view->selected);
}

void top_view_sort(struct top_view *view, const json_t *selected)
{
	const size_t count = json_array_size(view->sessions);
	json_t **rows = count ? calloc(count, sizeof(*rows)) : NULL;
	json_t *sorted = rows ? json_array() : NULL;

	for (size_t i = 0; rows && i < count; i++)
		rows[i] = json_array_get(view->sessions, i);
	if (sorted) {
		qsort_r(rows, count, sizeof(*rows), compare, view);
		for (size_t i = 0; i < count; i++)
			if (selected && is_same(rows[i], selected))
				view->selected = i;
		for (size_t i = 0; i < count; i++)
			json_array_append(sorted, rows[i]);
		json_decref(view->sessions);
		view->sessions = sorted;
	}
	free(rows);
}

/* ---- drawing ---- */

size_t top_view_rows(void)
{
	return LINES > HEAD + FOOT + 1 ? (size_t)(LINES - HEAD - FOOT) : 1;
}

/* What the kernel has of all queues; where that of one cannot be seen, that: a sum without it would be wrong. */
static void print_queues(const struct top_view *view, char text[CLIENT_TEXT_MAX])
{
	double waiting = 0, dropped = 0;
	bool seen = true;
	const json_t *queue;
	size_t index;

	json_array_foreach (json_object_get(view->status, "queues"), index, queue) {
		seen &= !json_object_get(queue, "unseen");
		waiting += tell_number(queue, "waiting");
		dropped += tell_number(queue, "dropped_full") + tell_number(queue, "dropped_unsent");
	}
	if (seen)
		snprintf(text, CLIENT_TEXT_MAX, "%.0f wait, %.0f dropped", waiting, dropped);
	else
		snprintf(text, CLIENT_TEXT_MAX, "cannot be seen, `status' says why");
}

static void draw_head(const struct top_view *view)
{
	const json_t *sessions = json_object_get(view->status, "sessions");
	const json_t *rates = json_object_get(view->status, "rates"), *refusal;
	char text[CLIENT_TEXT_MAX], span[TELL_SPAN_MAX];
	double refused = 0;
	size_t index;

	json_array_foreach (json_object_get(view->status, "refusals"), index, refusal) {
		refused += tell_number(refusal, "count");
	}
	mvprintw(0, 0, "nfq-ftp-helper, mode %s, for %s", client_text(view->status, "mode", text),
		 tell_span(tell_number(view->status, "uptime"), span));
	mvprintw(1, 0, "sessions %.0f of %.0f, busy %.0f, expected %.0f, refused %.0f", tell_number(sessions, "now"),
		 tell_number(sessions, "room"), tell_number(sessions, "busy"),
		 tell_number(json_object_get(view->status, "expectations"), "now"), refused);
	print_queues(view, text);
	mvprintw(2, 0, "queues: %s; a second: %.1f packets, %.1f rewrites, %.1f refusals", text,
		 tell_number(rates, "packets"), tell_number(rates, "rewrites"), tell_number(rates, "refusals"));
	if (view->complaint[0]) {
		attron(A_BOLD);
		mvprintw(3, 0, "%.*s", COLS - 1, view->complaint);
		attroff(A_BOLD);
	}
}

static void draw_row(int y, const json_t *row, int width)
{
	const json_t *shift = json_object_get(row, "shift");
	char client[CLIENT_TEXT_MAX], server[CLIENT_TEXT_MAX], state[CLIENT_TEXT_MAX], command[CLIENT_TEXT_MAX];
	char seqadj[CLIENT_TEXT_MAX], age[TELL_SPAN_MAX], idle[TELL_SPAN_MAX], line[4 * CLIENT_TEXT_MAX];

	snprintf(line, sizeof(line), "%-*s %-*s %-9s %-4s %7s %7s %-6s %+5.0f %+5.0f %3.0f", width,
		 client_text(row, "client", client), width, client_text(row, "server", server),
		 client_text(row, "state", state), client_text(row, "command", command), tell_span_of(row, "age", age),
		 tell_span_of(row, "idle", idle), client_text(row, "seqadj", seqadj), tell_number(shift, "client"),
		 tell_number(shift, "server"), tell_number(row, "expectations"));
	mvprintw(y, 0, "%-*.*s", COLS - 1, COLS - 1, line);
}

/* As wide as the widest of what is shown. */
static int ends_width(const struct top_view *view, size_t rows)
{
	size_t width = 10;

	for (size_t i = view->first; i < view->first + rows; i++) {
		const json_t *row = json_array_get(view->sessions, i);
		const size_t client = json_string_length(json_object_get(row, "client"));
		const size_t server = json_string_length(json_object_get(row, "server"));

		width = client > width ? client : width;
		width = server > width ? server : width;
	}
	return (int)width;
}

/* The selected row is seen, and no room is left below the last one while there are some above, however the terminal and the sessions have changed. */
static void keep_seen(struct top_view *view, size_t rows, size_t count)
{
	const size_t last_page = count > rows ? count - rows : 0;

	if (view->selected >= count)
		view->selected = count ? count - 1 : 0;
	if (view->first > last_page)
		view->first = last_page;
	if (view->selected < view->first)
		view->first = view->selected;
	if (view->selected >= view->first + rows)
		view->first = view->selected - rows + 1;
}

static void draw_table(struct top_view *view)
{
	const size_t rows = top_view_rows(), count = json_array_size(view->sessions);
	char line[256];
	int width;

	keep_seen(view, rows, count);
	width = ends_width(view, rows);
	snprintf(line, sizeof(line), "%-*s %-*s %-9s %-4s %7s %7s %-6s %5s %5s %3s", width, "CLIENT", width, "SERVER",
		 "STATE", "LAST", "AGE", "IDLE", "SEQADJ", "SHIFT", "", "EXP");
	attron(A_REVERSE);
	mvprintw(HEAD - 1, 0, "%-*.*s", COLS - 1, COLS - 1, line);
	attroff(A_REVERSE);
	for (size_t i = 0; i < rows && view->first + i < count; i++) {
		attrset(view->first + i == view->selected ? A_BOLD | A_UNDERLINE : A_NORMAL);
		draw_row(HEAD + (int)i, json_array_get(view->sessions, view->first + i), width);
	}
	attrset(A_NORMAL);
}

static void draw_detail(const struct top_view *view)
{
	json_t *session = top_view_selected(view), *value;
	const json_t *expectation;
	char text[CLIENT_TEXT_MAX], from[CLIENT_TEXT_MAX], to[CLIENT_TEXT_MAX];
	const char *name;
	size_t index;
	int y = HEAD;

	json_object_foreach (session, name, value) {
		client_printable(name, from);
		if (json_is_string(value))
			mvprintw(y++, 2, "%-13s %s", from, client_text(session, name, text));
		else if (json_is_number(value))
			mvprintw(y++, 2, "%-13s %.0f", from, json_number_value(value));
		else if (json_is_boolean(value))
			mvprintw(y++, 2, "%-13s %s", from, json_is_true(value) ? "yes" : "no");
		else if (json_is_object(value))
			mvprintw(y++, 2, "%-13s client's bytes %+.0f, server's %+.0f", from,
				 tell_number(value, "client"), tell_number(value, "server"));
	}
	json_array_foreach (view->expectations, index, expectation) {
		mvprintw(y++, 2, "%-13s from %s to %s by %s, for another %.0f s", index ? "" : "expected",
			 client_text(expectation, "from", from), client_text(expectation, "to", to),
			 client_text(expectation, "command", text), tell_number(expectation, "left"));
	}
}

void top_view_draw(struct top_view *view)
{
	erase();
	draw_head(view);
	if (view->detail)
		draw_detail(view);
	else
		draw_table(view);
	mvprintw(
		LINES - 1, 0, "%.*s", COLS - 1,
		view->detail ?
			"Esc back  q end" :
			"q end  Enter detail  sort: c client  s server  t state  a age  i idle  e expectations  r backwards");
	refresh();
}
