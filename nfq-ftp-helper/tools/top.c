// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * top - what the daemon follows, again every second: sortable, a session's detail; printed once where it is not to a terminal.
 */
#include "asking/client.h"
#include "asking/tell.h"
#include "command/command.h"
#include "output/say.h"
#include "tools.h"
#include "top_view.h"

#include <curses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PERIOD	   1000 /* milliseconds */
#define KEY_ESCAPE 27
#define KEY_RETURN '\n'

/* Everything that is answered, as an array; NULL: it was not, and @view says why. */
static json_t *fetch(struct top_view *view, const char *directory, const struct question *question)
{
	char why[sizeof(view->complaint)] = "";
	struct telling telling = { .line = tell_kept_all, .err = fmemopen(why, sizeof(why), "w") };
	bool told;

	if (!telling.err)
		return NULL;
	told = client_ask(directory, question, false, &telling);
	(void)fclose(telling.err);
	why[strcspn(why, "\n")] = '\0';
	if (!told) {
		snprintf(view->complaint, sizeof(view->complaint), "%s", why);
		json_decref(telling.kept);
		return NULL;
	}
	return telling.kept;
}

/* Those without the first line, which says nothing else. */
static void take_rows(json_t **rows, json_t *fetched)
{
	if (!fetched)
		return;
	json_array_remove(fetched, 0);
	json_decref(*rows);
	*rows = fetched;
}

static void look(struct top_view *view, const char *directory, const struct filter *filter)
{
	const struct question status = { .kind = QUESTION_STATUS };
	const struct question sessions = { .kind = QUESTION_SESSIONS, .filter = *filter };
	json_t *fetched, *selected;

	view->complaint[0] = '\0';
	fetched = fetch(view, directory, &status);
	if (!fetched)
		return;
	json_decref(view->status);
	view->status = json_incref(json_array_get(fetched, 0));
	json_decref(fetched);
	selected = json_incref(top_view_selected(view));
	take_rows(&view->sessions, fetch(view, directory, &sessions));
	top_view_sort(view, selected);
	json_decref(selected);
}

/* What is expected for the session that is selected. */
static void look_closer(struct top_view *view, const char *directory)
{
	const json_t *session = top_view_selected(view);
	struct question question = { .kind = QUESTION_EXPECTATIONS };
	const char *client = json_string_value(json_object_get(session, "client"));
	const char *colon = client ? strrchr(client, ':') : NULL;
	json_t *fetched;

	if (!colon)
		return;
	question.filter.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	fetched = fetch(view, directory, &question);
	if (!fetched)
		return;
	take_rows(&view->expectations, fetched);
	for (size_t i = json_array_size(view->expectations); i-- > 0;) {
		const json_t *row = json_array_get(view->expectations, i);

		if (!json_equal(json_object_get(row, "client"), json_object_get(session, "client")))
			json_array_remove(view->expectations, i);
	}
}

/* ---- keys ---- */

/* What is selected moves, as far as there are rows. */
static void move_by(struct top_view *view, long rows)
{
	const long last = (long)json_array_size(view->sessions) - 1;
	long selected = (long)view->selected + rows;

	if (selected > last)
		selected = last;
	view->selected = selected > 0 ? (size_t)selected : 0;
}

static void sort_by(struct top_view *view, int key)
{
	json_t *selected;

	for (unsigned int i = 0; i < TOP_SORTS; i++)
		if (top_view_key((enum top_sort)i) == key)
			view->sort = (enum top_sort)i;
	if (key == 'r')
		view->backwards = !view->backwards;
	selected = json_incref(top_view_selected(view));
	top_view_sort(view, selected);
	json_decref(selected);
}

/* Return: false: it is to end. */
static bool press(struct top_view *view, int key)
{
	const long page = (long)top_view_rows();

	switch (key) {
	case 'q':
		return false;
	case KEY_ESCAPE:
		view->detail = false;
		break;
	case KEY_RETURN:
	case KEY_ENTER:
		view->detail = !view->detail && top_view_selected(view);
		break;
	case KEY_UP:
		move_by(view, -1);
		break;
	case KEY_DOWN:
		move_by(view, 1);
		break;
	case KEY_PPAGE:
		move_by(view, -page);
		break;
	case KEY_NPAGE:
		move_by(view, page);
		break;
	default:
		sort_by(view, key);
	}
	return true;
}

/* ---- all of it ---- */

/* Then a key is not waited for any more: it would be asked without a pause. Whoever ignores SIGHUP hears of it in no other way. */
static bool terminal_gone(void)
{
	struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&polled, 1, 0) > 0 && polled.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* What has been looked at once; then again every second. */
static void show(struct top_view *view, const char *directory, const struct filter *filter)
{
	int key = 0;

	do {
		if (key == ERR) /* a second has passed */
			look(view, directory, filter);
		if (view->detail)
			look_closer(view, directory);
		top_view_draw(view);
		key = getch();
	} while (key == ERR ? !terminal_gone() : press(view, key));
}

/* Where it is not to a terminal: once, as status and sessions print it. */
static bool print_once(const char *directory, const struct filter *filter)
{
	const struct question status = { .kind = QUESTION_STATUS };
	const struct question sessions = { .kind = QUESTION_SESSIONS, .filter = *filter };
	struct telling telling = { .line = tell_status, .out = stdout };
	bool told = client_ask(directory, &status, false, &telling);

	if (!told)
		return false;
	printf("\n");
	telling = (struct telling){ .line = tell_kept, .end = tell_sessions_end, .out = stdout };
	told = client_ask(directory, &sessions, false, &telling);
	json_decref(telling.kept);
	return told;
}

/* NULL: there is none, which is said. */
static SCREEN *open_screen(void)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen) {
		say_sentence("this terminal, TERM=`%s', is not known: `nfq-ftp-helper sessions' prints",
			     getenv("TERM") ? getenv("TERM") : "");
		return NULL;
	}
	noecho();
	cbreak();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(PERIOD);
	ESCDELAY = 50;
	return screen;
}

/* Until somebody ends it; where nobody answers at the beginning, not at all. Return: whether it could; if not, why is said. */
static bool run_top(const char *state_directory, const struct filter *filter)
{
	struct top_view view = { .sort = TOP_BY_IDLE };
	SCREEN *screen = NULL;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return print_once(state_directory, filter);
	look(&view, state_directory, filter);
	if (view.status)
		screen = open_screen();
	else
		say_line(stderr, "%s", view.complaint);
	if (screen) {
		show(&view, state_directory, filter);
		endwin();
		delscreen(screen);
	}
	json_decref(view.status);
	json_decref(view.sessions);
	json_decref(view.expectations);
	return screen != NULL;
}

int tools_top(int argc, char **argv)
{
	static const struct option_page page = {
		.command = OPTION_OF_TOP,
		.about =
			"Shows the control connections that the running daemon follows, again every second: sorted as you like, with one\n"
			"session's detail. Where it is not to a terminal it prints them once.\n",
		.end = "Keys: q ends, the arrows and page keys select, Enter shows a session's detail, Esc goes back; c s t a i e sort by\n"
		       "client, server, state, age, idle time and expectations, r backwards.\n\n"
		       "Examples:\n"
		       "  nfq-ftp-helper top\n"
		       "  nfq-ftp-helper top --address 10.0.0.0/8 | head\n\n"
		       "Exit codes: 0 answered, 1 nobody answered, 2 wrong usage.\n",
	};
	struct option_values values;
	int code = option_parse(&page, &values, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	return run_top(values.run.state_directory, &values.filter) ? EXIT_DONE : EXIT_FAILED;
}
