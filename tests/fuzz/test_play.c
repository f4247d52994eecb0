// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A capture of any bytes, played back and explained: as `explain' does, from the file to what one of the writers writes of it. What is said on standard error
 * are whole lines; a capture that can be opened can be played to where it ends.
 *
 * A byte says how: whose checksums are believed, whether somebody is translated, who adjusts, and what is written.
 */
#include "described.h"
#include "explain/follow.h"
#include "file.h"
#include "large.h"
#include "written.h"

#define TABLE_ROOM 65536

/*
 * Playback makes room for a table as large as a daemon's, each time anew: most of its time would go into a few pages of that. No input is so long
 * that it filled it; for most of them there is a table that an input can fill, and that a few packets' ticks go round. Behind its end is nothing, and
 * when it was given back, nothing is anywhere. One input in a thousand has what playback asks for.
 */
static const struct table_size table_size = { .sessions = 32, .works = 8, .budgets = 16 };
static _Alignas(64) uint8_t table_memory[TABLE_ROOM];
static bool table_in_use, playing; /* libFuzzer maps, too */

void *__real_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset);
int __real_munmap(void *at, size_t length);
int __wrap_munmap(void *at, size_t length);
struct table *__real_table_open(void *memory, const struct table_size *size, const uint64_t seed[2],
				uint32_t *recovered);
struct table *__wrap_table_open(void *memory, const struct table_size *size, const uint64_t seed[2],
				uint32_t *recovered);

ONLY_CHECKS void *__wrap_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
	const size_t bytes = table_bytes(&table_size);

	if (!playing || file_is_real)
		return __real_mmap(at, length, protection, flags, file, offset);
	MUST(!table_in_use && bytes <= TABLE_ROOM && length >= bytes);
	table_in_use = true;
	if (__asan_unpoison_memory_region) {
		__asan_poison_memory_region(table_memory + bytes, TABLE_ROOM - bytes);
		__asan_unpoison_memory_region(table_memory, bytes);
	}
	memset(table_memory, 0, bytes);
	return table_memory;
}

ONLY_CHECKS int __wrap_munmap(void *at, size_t length)
{
	if (!playing || file_is_real)
		return __real_munmap(at, length);
	MUST(table_in_use && at == table_memory);
	table_in_use = false;
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(table_memory, TABLE_ROOM);
	return 0;
}

ONLY_CHECKS struct table *__wrap_table_open(void *memory, const struct table_size *size, const uint64_t seed[2],
					    uint32_t *recovered)
{
	return __real_table_open(memory, file_is_real ? size : &table_size, seed, recovered);
}

ONLY_CHECKS static void check_lines(const char *said, size_t length)
{
	MUST(length == 0 || said[length - 1] == '\n');
	MUST(strlen(said) == length);
	for (; *said; said++)
		MUST(*said == '\n' || (*said >= ' ' && *said <= '~'));
}

static void check_counts(const struct playback *playback)
{
	const struct playback_counts *counts = playback_counts(playback);

	MUST(counts->controls + counts->others <= counts->packets);
	MUST(counts->truncated <= counts->packets && counts->dropped <= counts->packets);
}

static void play(const char *path, const struct playback_settings *settings, enum format format)
{
	struct ladder *ladder = ladder_new(path, settings->nat.count > 0);
	struct follower *follower = ladder ? follow_new(ladder) : NULL;
	const struct playback_listener listener = {
		.context = follower,
		.time = follow_time,
		.arrives = follow_arrival,
		.report = follow_report,
		.decided = follow_decision,
	};
	struct playback *playback;

	MUST(follower);
	playback = playback_open(path, settings, &policy_default, &listener);
	if (playback) {
		(void)playback_run(playback);
		follow_end(follower);
		check_counts(playback);
		MUST(!ladder->no_memory);
		if (playback_say_no_ftp(playback) == 0)
			written_check(ladder, format);
	}
	playback_close(playback);
	follow_free(follower);
	ladder_free(ladder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct playback_settings settings = {
		.nat.mappings = { { .address = { [MODEL_INSIDE] = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 } },
						 [MODEL_OUTSIDE] = { .family = FAMILY_IPV4,
								     .address = { 198, 51, 100, 254 } } } } },
		.control_ports = { [21 / 8] = 1 << 21 % 8 },
	};
	struct input input = { data, size };
	const uint8_t how = input_byte(&input);
	FILE *const usual = stderr;
	static struct heard heard;
	const char *said;
	size_t length;

	settings.checksums = how % 3;
	settings.nat.count = how / 3 & 1;
	settings.seqadj_by = how / 6 & 1 ? SEQADJ_SELF : SEQADJ_KERNEL;
	stderr = heard_begin(&heard);
	playing = true;
	play(file_of(input.at, input.left), &settings, how / 12 % FORMATS);
	playing = false;
	stderr = usual;
	said = heard_end(&heard, &length);
	check_lines(said, length);
	file_check();
	large_check();
	MUST(!table_in_use);
	return 0;
}
