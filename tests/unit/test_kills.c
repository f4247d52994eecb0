// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon killed at any instruction (invariant I7). A child changes a table in shared memory, one operation a life; the parent
 * lets it run so many instructions, kills it, opens the table as the next daemon would, and compares it with a plain list of
 * what was in it: every session is found by its key, as it was before the operation or as it is after it, whole; every work slot
 * is its owner's; no session is there twice.
 *
 * KILLS says how many lives, from the environment; KILLS=100000 takes some minutes.
 */
#include "unit.h"

#include "common/packet.h"
#include "core/table/table.h"
#include "work.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SESSIONS 32
#define WORKS	 6
#define NUMBERS	 48

#if defined(__SANITIZE_ADDRESS__)
#define KILLS_DEFAULT 300
#else
#define KILLS_DEFAULT 2000
#endif
#define WARM_UP	       1000 /* operations before: the dynamic linker is through with its work, and the table is filled */
#define KILLS_VALGRIND 0    /* there is no trap flag there: the operations only */

static const struct table_size size = { .sessions = SESSIONS, .works = WORKS, .budgets = 16 };
static const uint64_t seed[2] = { 1, 2 };

enum operation {
	INSERT,
	REMOVE, /* as lifecycle_end() does */
	CHANGE, /* the session, and its work slot where it has one */
	WORK_GET,
	WORK_PUT,
	OPERATIONS,
};

/* What is known of a flow's session. */
struct known {
	bool present;
	bool work;
	bool busy;	/* the work slot is needed: nobody may take it away */
	uint32_t value; /* in all that can be changed of it */
};

struct life {
	void *memory;
	struct table *table;
	uint32_t *done; /* instructions that a whole operation took */
	struct known known[NUMBERS];
	enum operation operation;
	uint32_t number;
	struct known after;	     /* of that number */
	bool ended;		     /* the operation came to its end */
	uint32_t length[OPERATIONS]; /* instructions, about */
	uint32_t whole;		     /* lives whose operation came to its end */
};

static struct session *find(struct table *table, uint32_t number)
{
	struct tuple ends;
	struct flow_key key;
	uint32_t hash;

	ends.src = (struct endpoint){ .family = FAMILY_IPV4, .address = { 10, 0, 0, (uint8_t)number }, .port = 1024 };
	ends.dst = (struct endpoint){ .family = FAMILY_IPV4, .address = { 192, 0, 2, 1 }, .port = 21 };
	hash = table_hash(table, &ends.src, &ends.dst, 0, &key);
	return table_find(table, &key, hash);
}

static struct session *insert(struct table *table, uint32_t number)
{
	struct tuple ends;
	struct flow_key key;
	uint32_t hash;

	ends.src = (struct endpoint){ .family = FAMILY_IPV4, .address = { 10, 0, 0, (uint8_t)number }, .port = 1024 };
	ends.dst = (struct endpoint){ .family = FAMILY_IPV4, .address = { 192, 0, 2, 1 }, .port = 21 };
	hash = table_hash(table, &ends.src, &ends.dst, 0, &key);
	return table_insert(table, &key, hash);
}

/* A legal session that says @value wherever it can. */
static void fill(struct table *table, struct session *session, const struct known *known)
{
	struct work *work = table_work_change(table, session);

	session->state = SESSION_READY;
	session->unsure = session->resumed = false;
	session->last_seen = known->value;
	for (int d = 0; d < 2; d++) {
		struct stream *stream = &session->stream[d];

		stream->unsynced = stream->stale = false;
		stream->in_flight = stream->edited = known->busy;
		stream->next = stream->acked = known->value + 100;
		stream->mss = (uint16_t)known->value;
	}
	if (!work || !known->busy)
		return;
	work->bound = 1;
	for (int d = 0; d < 2; d++) {
		struct tuple *tuple = &work->binding.tuple[d];
		struct edit *edit = &work->edit[d];

		tuple->src = (struct endpoint){ .family = FAMILY_IPV4, .address = { 10 }, .port = 1024 };
		tuple->dst = (struct endpoint){ .family = FAMILY_IPV4, .address = { 11 }, .port = 21 };
		*edit = (struct edit){ .start = known->value, .old_length = 9, .new_length = 9, .kind = EDIT_REPLACED };
		memset(edit->text, (int)(known->value & 255), edit->new_length);
	}
}

static bool is(const struct table *table, const struct session *session, const struct known *known)
{
	const struct work *work = table_work(table, session);
	char text[9];

	memset(text, (int)(known->value & 255), sizeof(text));
	if (session->last_seen != known->value || (known->busy && !work))
		return false;
	for (int d = 0; d < 2; d++) {
		if (session->stream[d].next != known->value + 100 || session->stream[d].mss != (uint16_t)known->value ||
		    session->stream[d].in_flight != known->busy)
			return false;
		if (known->busy &&
		    (work->edit[d].start != known->value || memcmp(work->edit[d].text, text, sizeof(text)) != 0))
			return false;
	}
	return true;
}

/* ---- the child's part ---- */

static void __attribute__((noinline)) operate(struct life *life)
{
	struct table *table = life->table;
	struct session *session;

	if (life->operation == INSERT) {
		session = insert(table, life->number);
		if (!session)
			return;
		table_begin(table, session);
		fill(table, session, &life->after);
		table_commit(table);
		return;
	}
	session = find(table, life->number);
	table_begin(table, session);
	if (life->operation == WORK_GET) {
		if (work_of(table, session))
			fill(table, session, &life->after);
	} else if (life->operation == CHANGE) {
		fill(table, session, &life->after);
	} else {
		fill(table, session, &life->after); /* it is not busy then */
		table_work_put(table, session);
	}
	if (life->operation == REMOVE)
		table_remove(table, session);
	table_commit(table);
}

/* ---- to be killed ---- */

#if defined(__x86_64__)
/* The child steps itself, which is many times faster than being stepped: the trap flag, and SIGTRAP at each instruction. */
static volatile sig_atomic_t instructions_left, instructions_done;

static void on_instruction(int number)
{
	(void)number;
	instructions_done++;
	if (--instructions_left == 0)
		kill(getpid(), SIGKILL);
}

static void set_stepping(bool on)
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | 0x100 : flags & ~0x100ul);
}

static _Noreturn void child(struct life *life, uint32_t instructions)
{
	instructions_left = (sig_atomic_t)instructions;
	signal(SIGTRAP, on_instruction);
	set_stepping(true);
	operate(life);
	set_stepping(false);
	*life->done = (uint32_t)instructions_done;
	_exit(0);
}

static int reap(pid_t pid, uint32_t instructions)
{
	int status;

	(void)instructions;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
#else
static _Noreturn void child(struct life *life, uint32_t instructions)
{
	*life->done = instructions;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(9);
	raise(SIGSTOP);
	operate(life);
	_exit(0);
}

static int reap(pid_t pid, uint32_t instructions)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status) && instructions--) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	return status;
}
#endif

/* Return: true when the child came to the operation's end before it was killed. */
static bool live(struct life *life, uint32_t instructions)
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		child(life, instructions);
	status = reap(pid, instructions);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		if (instructions > life->length[life->operation])
			life->length[life->operation] = instructions; /* it is longer than was thought */
		return false;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	life->length[life->operation] = *life->done;
	return true;
}

/* ---- the parent's ---- */

static uint32_t count_busy(const struct life *life)
{
	uint32_t busy = 0;

	for (uint32_t i = 0; i < NUMBERS; i++)
		busy += life->known[i].present && life->known[i].busy;
	return busy;
}

/* What is to be done next, and what will be known afterwards. */
static void choose(struct life *life)
{
	struct known *known;

	do {
		life->number = unit_pick(NUMBERS);
		life->operation = (enum operation)unit_pick(OPERATIONS);
		known = &life->known[life->number];
	} while ((life->operation == INSERT) == known->present || (life->operation == WORK_PUT && !known->work) ||
		 (life->operation == WORK_GET && (known->work || count_busy(life) == WORKS)));
	life->after = (struct known){ .present = life->operation != REMOVE, .value = unit_pick(1u << 24) };
	life->after.work = life->operation == WORK_GET || (life->operation == CHANGE && known->work);
	life->after.busy = life->operation == WORK_GET ? unit_pick(2) : life->after.work && known->busy;
}

/* No slot has the key of another, no work slot two owners. */
static void check_once(struct table *table)
{
	for (uint32_t i = 1; i <= table_slots(table); i++) {
		const struct session *one = table_slot(table, i);

		for (uint32_t j = i + 1; one && j <= table_slots(table); j++) {
			const struct session *other = table_slot(table, j);

			if (!other)
				continue;
			assert_true(memcmp(&one->key, &other->key, offsetof(struct flow_key, swapped)) != 0);
			assert_true(!one->work || one->work != other->work);
		}
	}
}

static void check_works(struct table *table)
{
	uint32_t works = 0, sessions = 0;

	for (uint32_t i = 1; i <= table_slots(table); i++) {
		const struct session *session = table_slot(table, i);

		sessions += session != NULL;
		if (!session || !session->work)
			continue;
		assert_int_equal(table_work(table, session)->owner, i);
		works++;
	}
	assert_int_equal(table_works(table), works);
	assert_int_equal(table_sessions(table), sessions);
}

static void check_number(struct life *life, uint32_t number)
{
	struct session *session = find(life->table, number);
	struct known *known = &life->known[number];

	if (number == life->number && life->ended)
		assert_true(life->after.present ?
				    (session && is(life->table, session, &life->after)) ||
					    (life->operation == INSERT && table_sessions(life->table) == SESSIONS) :
				    !session);
	else if (number == life->number && session && !is(life->table, session, known) && life->after.present)
		assert_true(is(life->table, session, &life->after));
	else if (session)
		assert_true(known->present && is(life->table, session, known));
	else
		assert_true(!known->present || (number == life->number && !life->after.present));
}

/* What the killed one left is now known. A new session that had not been filled in yet may be there. */
static void learn(struct life *life)
{
	for (uint32_t number = 0; number < NUMBERS; number++) {
		struct session *session = find(life->table, number);
		struct known *known = &life->known[number];

		if (number == life->number && session && is(life->table, session, &life->after))
			*known = life->after;
		known->present = session != NULL;
		known->work = session && session->work;
		known->busy = known->busy && known->work;
	}
}

/* A new session that nothing was said of is of no use: the next daemon begins it again. */
static void drop_unfilled(struct life *life)
{
	struct session *session = find(life->table, life->number);

	if (life->operation == INSERT && session && session->state == SESSION_HANDSHAKE)
		table_remove(life->table, session);
}

static void one(struct life *life, bool killed)
{
	uint32_t recovered;

	choose(life);
	life->ended = true;
	if (killed)
		life->ended = live(life, 1 + unit_pick(life->length[life->operation] * 5 / 4));
	else
		operate(life);
	life->whole += killed && life->ended;
	life->table = table_open(life->memory, &size, seed, &recovered);
	assert_non_null(life->table);
	check_once(life->table);
	check_works(life->table);
	drop_unfilled(life);
	for (uint32_t number = 0; number < NUMBERS; number++)
		check_number(life, number);
	learn(life);
}

static uint32_t kills_wanted(void)
{
	const char *given = getenv("KILLS"), *preloaded = getenv("LD_PRELOAD");

	if (given)
		return (uint32_t)strtoul(given, NULL, 10);
	return preloaded && strstr(preloaded, "vgpreload") ? KILLS_VALGRIND : KILLS_DEFAULT;
}

static void killed_at_any_instruction(void **state)
{
	static struct life life;
	const uint32_t kills = kills_wanted();

	(void)state;
	life.memory = mmap(NULL, table_bytes(&size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(life.memory != MAP_FAILED);
	life.done = mmap(NULL, sizeof(*life.done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(life.done != MAP_FAILED);
	life.table = table_open(life.memory, &size, seed, NULL);
	for (unsigned int i = 0; i < OPERATIONS; i++)
		life.length[i] = 300;
	for (uint32_t i = 0; i < kills + WARM_UP; i++)
		one(&life, i >= WARM_UP);
	print_message("%u lives, %u of them to the operation's end; instructions:", kills, life.whole);
	for (unsigned int i = 0; i < OPERATIONS; i++)
		print_message(" %u", life.length[i]);
	print_message("\n");
	munmap(life.memory, table_bytes(&size));
	munmap(life.done, sizeof(*life.done));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
