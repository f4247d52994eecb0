// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include "asking.h"
#include "hearing.h"
#include "output/say.h"
#include "output/visible.h"
#include "place.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* So long a daemon may take that answers within ASKING_PATIENCE. */
#define PATIENCE (2 * ASKING_PATIENCE)

/*
 * And so much it may say: of itself and of what it has counted less than a line's most; of sessions as much as memory takes.
 * Who follows hears it for as long as he likes, and keeps nothing.
 */
static const size_t most[] = {
	[QUESTION_STATUS] = 2 * HEARING_LINE_MAX,	  [QUESTION_SESSIONS] = 256 * HEARING_LINE_MAX,
	[QUESTION_EXPECTATIONS] = 256 * HEARING_LINE_MAX, [QUESTION_FOLLOW] = 0,
	[QUESTION_METRICS] = 2 * HEARING_LINE_MAX,
};

/* What is read takes more memory than it has bytes: an empty object a hundred times as much. All that is kept of an answer takes no more than this. */
#define MEMORY_MAX (1ll << 29)

static atomic_llong memory;
static atomic_bool no_memory; /* there was more */

static void *take_memory(size_t size)
{
	void *taken = (long long)size < MEMORY_MAX - atomic_load(&memory) ? malloc(size) : NULL;

	if (taken)
		atomic_fetch_add(&memory, (long long)malloc_usable_size(taken));
	else
		atomic_store(&no_memory, true);
	return taken;
}

static void give_memory_back(void *taken)
{
	if (taken)
		atomic_fetch_sub(&memory, (long long)malloc_usable_size(taken));
	free(taken);
}

/* What others had before, and have still, does not count. */
static void bound_memory(void)
{
	atomic_store(&memory, 0);
	atomic_store(&no_memory, false);
	json_set_alloc_funcs(take_memory, give_memory_back);
}

const char *client_printable(const char *from, char text[CLIENT_TEXT_MAX])
{
	snprintf(text, CLIENT_TEXT_MAX, "%s", from);
	visible_only(text);
	return text;
}

const char *client_text(const json_t *object, const char *name, char text[CLIENT_TEXT_MAX])
{
	const char *value = json_string_value(json_object_get(object, name));

	return client_printable(value && *value ? value : "-", text);
}

static void complain(FILE *err, const char *directory, int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		say_to(err,
		       "no daemon answers at `%s/" ASKING_SOCKET "': start `nfq-ftp-helper run', or give the "
		       "--state-dir of the one that runs",
		       directory);
	else if (error == -EACCES)
		say_to(err,
		       "you may not ask at `%s/" ASKING_SOCKET "': do so as root, or as a member of the group "
		       "that the daemon's --group names",
		       directory);
	else if (error == -EAGAIN)
		say_to(err,
		       "the daemon at `%s/" ASKING_SOCKET
		       "' takes no questions: it is stopped, perhaps, or it hangs; its log says more",
		       directory);
	else
		say_to(err, "nobody can be asked at `%s/" ASKING_SOCKET "': %s", directory, strerror(-error));
}

/* Who turns us away may not have read it: what it says is looked at all the same. */
static void ask(int file, const struct question *question)
{
	json_t *object = question_write(question);
	char *text = json_dumps(object, JSON_COMPACT);

	if (text) {
		(void)send(file, text, strlen(text), MSG_NOSIGNAL);
		(void)send(file, "\n", 1, MSG_NOSIGNAL);
	}
	free(text);
	json_decref(object);
}

enum heard {
	HEARD_LINE,
	HEARD_END,
	HEARD_ERROR, /* said */
};

/* What the first line must be, and the others cannot. */
static enum heard look(FILE *err, const json_t *line, bool first)
{
	const json_t *version = json_object_get(line, "version");
	char error[CLIENT_TEXT_MAX], text[CLIENT_TEXT_MAX];

	if (!line && atomic_load(&no_memory)) {
		/* complain_end() says that. */
	} else if (!json_is_object(line)) {
		say_to(err, "the daemon's answer is no JSON: it is of another version, perhaps");
	} else if (first && json_object_get(line, "error")) {
		say_to(err, "the daemon does not answer (%s): %s", client_text(line, "error", error),
		       client_text(line, "text", text));
	} else if (first && json_integer_value(version) != ASKING_VERSION) {
		say_to(err, "the daemon's answer is of a version that is not known here: ask with the "
			    "program that it was started from");
	} else {
		return json_is_true(json_object_get(line, "end")) ? HEARD_END : HEARD_LINE;
	}
	return HEARD_ERROR;
}

/* Of a file of its own the caller says what is wrong with it. */
static bool is_written(const struct telling *telling)
{
	if (!telling->out || (fflush(telling->out) == 0 && !ferror(telling->out)))
		return true;
	if (telling->out == stdout)
		say_to(telling->err, "the answer cannot be written to standard output");
	return false;
}

static bool tell_line(struct telling *telling, const json_t *line, bool json)
{
	if (!json)
		return telling->line(telling, line);
	if (json_dumpf(line, telling->out, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 || fputc('\n', telling->out) == EOF)
		return false;
	return fflush(telling->out) == 0;
}

/* The end did not come. */
static void complain_end(FILE *err, const struct hearing *hearing)
{
	if (hearing->too_much || atomic_load(&no_memory))
		say_to(err, "the daemon's answer is longer than one can be, and was not read to its end: ask "
			    "for less, as --address does, or see who has taken the daemon's place");
	else
		say_to(err, "the daemon's answer was cut off: it has ended, or this was read too slowly");
}

static bool tell_all(struct hearing *hearing, bool json, struct telling *telling)
{
	const char *text;
	size_t length;
	enum heard heard = HEARD_LINE;
	bool told = true;

	while (heard == HEARD_LINE && told && (text = hearing_line(hearing, &length)) != NULL) {
		json_t *line = json_loadb(text, length, 0, NULL);

		heard = look(telling->err, line, telling->lines == 0);
		if (heard == HEARD_LINE)
			told = tell_line(telling, line, json);
		telling->lines++;
		json_decref(line);
	}
	if ((heard == HEARD_LINE && told) || atomic_load(&no_memory))
		complain_end(telling->err, hearing);
	if (heard == HEARD_END && telling->end && !json)
		telling->end(telling);
	return is_written(telling) && heard == HEARD_END;
}

bool client_ask(const char *state_directory, const struct question *question, bool json, struct telling *telling)
{
	const int file = place_connect(state_directory);
	struct hearing hearing;
	bool told = false;

	if (!telling->err)
		telling->err = stderr;
	if (file < 0) {
		complain(telling->err, state_directory, file);
		return false;
	}
	bound_memory();
	if (hearing_begin(&hearing, file, question->kind == QUESTION_FOLLOW ? 0 : PATIENCE, most[question->kind])) {
		ask(file, question);
		told = tell_all(&hearing, json, telling);
		hearing_end(&hearing);
	} else {
		complain(telling->err, state_directory, -ENOMEM);
	}
	close(file);
	return told;
}
