// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include "log.h"
#include "options.h"
#include "output/pasted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PREFIX "queue-"

/* A busy session in so many. */
#define SESSIONS_PER_WORK 8
#define WORKS_MIN	  256
/* Clients, for so many sessions one. */
#define SESSIONS_PER_BUDGET 4
#define BUDGETS_MIN	    4096

/* What state_open() works on: the file, and how people call it. */
struct state_place {
	struct statefile *file;
	const char *directory;
	const char *name;
};

static void complain(const struct state_place *place, int error)
{
	char directory[PASTED_SIZE(OPTIONS_PATH_MAX)];

	if (error == -EWOULDBLOCK)
		log_why(LOG_LEVEL_ERROR, "state",
			"`%s/%s' is in use by another nfq-ftp-helper: end that one, or give --state-dir",
			place->directory, place->name);
	else if (error == -EPERM && place->file->mend[0])
		log_why(LOG_LEVEL_ERROR, "state",
			"the state directory `%s' %s; `%s %s' mends that, --state-dir names another", place->directory,
			place->file->why, place->file->mend, pasted(place->directory, directory, sizeof(directory)));
	else if (error == -EPERM && place->file->why[0])
		log_why(LOG_LEVEL_ERROR, "state", "the state directory `%s' %s; --state-dir names another",
			place->directory, place->file->why);
	else if (place->file->directory < 0)
		log_why(LOG_LEVEL_ERROR, "state",
			"the state directory `%s' cannot be made or opened: %s; --state-dir names another",
			place->directory, strerror(-error));
	else
		log_why(LOG_LEVEL_ERROR, "state", "the table `%s/%s' of %zu bytes cannot be made: %s", place->directory,
			place->name, place->file->size, strerror(-error));
}

static void tell_taken(const struct state_place *place, const struct table_size *size, const struct table_taken *taken)
{
	if (!taken->own)
		log_why(LOG_LEVEL_NOTICE, "state-adopted",
			"`%s/%s' is another version's: %" PRIu32 " connections of it go on, their "
			"dialogues are picked up in the middle",
			place->directory, place->name, taken->sessions);
	if (taken->forgotten)
		log_why(LOG_LEVEL_WARNING, "state-damaged",
			"%" PRIu32 " sessions of `%s/%s' are damaged, and forgotten", taken->forgotten,
			place->directory, place->name);
	if (taken->crowded)
		log_why(LOG_LEVEL_WARNING, "state-crowded",
			"%" PRIu32 " sessions of `%s/%s' are forgotten, for want of room: --sessions, "
			"now %" PRIu32 ", sets the table's size",
			taken->crowded, place->directory, place->name, size->sessions);
}

/* Return: why what was left is of no use; NULL: it is. */
static const char *take_up(const struct state_place *place, struct table *table, const struct table_size *size,
			   uint32_t *recovered)
{
	static const char *const reasons[] = {
		[TABLE_TAKEN_UP] = NULL,
		[TABLE_STRANGE] = "is no table of sessions",
		[TABLE_CUT_SHORT] = "is cut short",
	};
	const struct statefile *file = place->file;
	struct table_taken taken;
	enum table_left what;

	*recovered = 0;
	if (file->why[0])
		return file->why;
	if (!file->left)
		return NULL;
	what = table_take_up(table, file->left, file->left_bytes, &taken);
	if (what == TABLE_TAKEN_UP)
		tell_taken(place, size, &taken);
	*recovered = taken.sessions;
	return reasons[what];
}

static int replace(const struct state_place *place, const char *why)
{
	const int error = statefile_replace(place->file, why != NULL);

	if (error)
		log_why(LOG_LEVEL_ERROR, "state", "`%s/%s' cannot be %s: %s", place->directory, place->name,
			why ? "set aside" : "replaced", strerror(-error));
	else if (why)
		log_why(LOG_LEVEL_WARNING, "state-aside",
			"`%s/%s' %s: it is set aside as `%s', and the table starts empty", place->directory,
			place->name, why, place->file->aside);
	return error;
}

/* ---- room ---- */

struct table_size state_size(uint32_t sessions)
{
	const uint32_t works = sessions / SESSIONS_PER_WORK, budgets = sessions / SESSIONS_PER_BUDGET;

	return (struct table_size){ .sessions = sessions,
				    .works = works > WORKS_MIN ? works : WORKS_MIN,
				    .budgets = budgets > BUDGETS_MIN ? budgets : BUDGETS_MIN };
}

/* Where @path is, or is to be made. Return: it, or -1. */
static int open_place(const char *path)
{
	const int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char above[OPTIONS_PATH_MAX + 3];
	const char *slash;

	if (place >= 0 || errno != ENOENT)
		return place;
	snprintf(above, sizeof(above), "%s", path);
	for (size_t end = strlen(above); end > 1 && above[end - 1] == '/'; end--)
		above[end - 1] = '\0';
	slash = strrchr(above, '/');
	snprintf(above + (slash ? slash + 1 - above : 0), 2, ".");
	return open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* What goes when this name does. */
static int64_t room_of(int place, unsigned int queue, const char *ending)
{
	char name[STATEFILE_NAME_MAX];
	struct stat status;

	snprintf(name, sizeof(name), PREFIX "%u%s", queue, ending);
	if (fstatat(place, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1)
		return 0;
	return (int64_t)status.st_blocks * 512;
}

/* The most that is taken besides what is there, while a queue's new table stands beside its old one, one queue after the other. */
static int64_t most_taken(int place, const struct queue_range *queues, uint32_t sessions)
{
	const struct table_size size = state_size(sessions);
	const int64_t bytes = (int64_t)table_bytes(&size);
	int64_t taken = 0, most = 0;

	for (unsigned int i = 0; i < queue_range_count(queues); i++) {
		taken += bytes - room_of(place, queues->first + i, ".new");
		most = taken > most ? taken : most;
		taken -= room_of(place, queues->first + i, "");
	}
	return most;
}

/* Return: INT64_MAX: nothing says how much it is, or it is more than any table. */
static int64_t room_at(int place)
{
	struct statvfs room;
	uint64_t blocks;

	if (place < 0 || fstatvfs(place, &room) < 0 || !room.f_blocks || !room.f_frsize)
		return INT64_MAX;
	blocks = geteuid() ? room.f_bavail : room.f_bfree;
	return blocks > INT64_MAX / room.f_frsize ? INT64_MAX : (int64_t)(blocks * room.f_frsize);
}

/* The most sessions that have room, as far as halving finds them; 0: none have. */
static uint32_t sessions_in(int64_t room, int place, const struct queue_range *queues, uint32_t sessions)
{
	while (sessions && most_taken(place, queues, sessions) > room)
		sessions /= 2;
	return sessions;
}

bool state_has_room(const char *directory, const struct queue_range *queues, uint32_t sessions,
		    char complaint[STATE_COMPLAINT_MAX])
{
	const int place = open_place(directory);
	const int64_t room = room_at(place), wanted = most_taken(place, queues, sessions);
	const unsigned int count = queue_range_count(queues);
	const uint32_t fewer = sessions_in(room, place, queues, sessions);
	char remedy[64] = "";

	if (fewer)
		snprintf(remedy, sizeof(remedy), "--sessions %" PRIu32 " has room there, ", fewer);
	snprintf(complaint, STATE_COMPLAINT_MAX,
		 "the tables of %u queues with %" PRIu32 " sessions each take %" PRId64
		 " MB, and the state directory `%.*s' has room for %" PRId64
		 " MB: %s--queue with fewer takes less, --state-dir names another directory",
		 count, sessions, (wanted >> 20) + 1, OPTIONS_PATH_MAX, directory, room >> 20, remedy);
	if (place >= 0)
		close(place);
	return wanted <= room;
}

struct table *state_open(struct statefile *file, const char *directory, unsigned int queue,
			 const struct queue_range *queues, const struct table_size *size, uint32_t *recovered)
{
	char name[STATEFILE_NAME_MAX], note[QUEUE_RANGE_TEXT_MAX];
	/* cppcheck-suppress ctuuninitvar ; only where it is: statefile_open() fills it in */
	const struct state_place place = { file, directory, name };
	struct table *table = NULL;
	uint64_t seed[2];
	int error;

	snprintf(name, sizeof(name), PREFIX "%u", queue);
	error = statefile_open(file, directory, name, table_bytes(size));
	if (!error && getrandom(seed, sizeof(seed), 0) < 0)
		error = -errno;
	if (error) {
		complain(&place, error);
	} else {
		if (file->obstacle[0])
			log_why(LOG_LEVEL_WARNING, "state-aside",
				"`%s/%s.new' stands in a new table's way: it is set aside as `%s'", directory, name,
				file->obstacle);
		table = table_new(file->memory, size, seed);
		error = replace(&place, take_up(&place, table, size, recovered));
		statefile_note(file, queue_range_text(queues, note));
	}
	errno = -error;
	return error ? NULL : table;
}

/* ---- those of queues that are no longer used ---- */

/* The queue whose table has this name; -1: it is no table's. */
static int queue_of(const char *name)
{
	char *end;
	unsigned long number;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || name[strlen(PREFIX)] < '0' || name[strlen(PREFIX)] > '9')
		return -1;
	number = strtoul(name + strlen(PREFIX), &end, 10);
	return *end || number > UINT16_MAX ? -1 : (int)number;
}

/* Had its last user one of @queues? Who has them now has come in his place. */
static bool was_before_us(const char *note, const struct queue_range *queues)
{
	char *end;
	const unsigned long first = strtoul(note, &end, 10), last = *end == ':' ? strtoul(end + 1, NULL, 10) : first;

	return end != note && first <= queues->last && last >= queues->first;
}

static void tidy_one(struct state_tidy *tidy, const char *directory, int queue, const struct queue_range *queues,
		     unsigned int patience)
{
	char name[STATEFILE_NAME_MAX], note[STATEFILE_NOTE_MAX];
	uint8_t *unused = &tidy->unused[queue];
	struct statefile file;
	bool goes;
	int error;

	snprintf(name, sizeof(name), PREFIX "%d", queue);
	goes = statefile_find_unused(&file, directory, name, note);
	if (!goes) {
		*unused = 0;
	} else if (*unused < patience && !was_before_us(note, queues)) {
		++*unused;
		goes = false;
	}
	error = goes ? statefile_remove(&file) : 0;
	if (error)
		log_why(LOG_LEVEL_WARNING, "state-left",
			"`%s/%s' is of a queue that is no longer used, and cannot be removed: %s", directory, name,
			strerror(-error));
	else if (goes)
		log_why(LOG_LEVEL_NOTICE, "state-left", "`%s/%s' is of a queue that is no longer used, and removed",
			directory, name);
	statefile_close(&file);
}

void state_tidy(struct state_tidy *tidy, const char *directory, const struct queue_range *queues, unsigned int patience)
{
	DIR *open = opendir(directory);
	const struct dirent *entry;

	while (open && (entry = readdir(open))) {
		const int queue = queue_of(entry->d_name);

		if (queue >= 0 && (queue < queues->first || queue > queues->last))
			tidy_one(tidy, directory, queue, queues, patience);
	}
	if (open)
		closedir(open);
}
