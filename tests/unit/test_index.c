// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "model/index.h"

#include <sys/wait.h>
#include <unistd.h>

static struct tuple some_tuple(uint8_t family)
{
	return (struct tuple){
		.src = { .address = { 10, 0, 0, 2 }, .port = 40000, .family = family },
		.dst = { .address = { 192, 0, 2, 1 }, .port = 21, .family = family },
	};
}

/* What another process takes for the hash of the same two ends. */
static uint64_t hash_elsewhere(const struct tuple *tuple)
{
	uint64_t hash = 0;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		hash = index_hash_ends(&tuple->src, &tuple->dst);
		_exit(write(ends[1], &hash, sizeof(hash)) != sizeof(hash));
	}
	assert_int_equal(read(ends[0], &hash, sizeof(hash)), sizeof(hash));
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ends[0]);
	close(ends[1]);
	return hash;
}

/* Nobody can know beforehand what will collide. It comes first: a child has its parent's seed, once that has one. */
static void each_program_has_a_seed_of_its_own(void **state)
{
	const struct tuple tuple = some_tuple(FAMILY_IPV4);
	unsigned int equal = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const uint64_t one = hash_elsewhere(&tuple), another = hash_elsewhere(&tuple);

		equal += one == another;
	}
	assert_int_equal(equal, 0);
}

static void ends_and_hosts(void **state)
{
	static const uint8_t families[] = { FAMILY_IPV4, FAMILY_IPV6 };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const struct tuple tuple = some_tuple(families[i]), back = tuple_inverse(&tuple);
		struct tuple other = tuple;

		assert_true(index_hash_ends(&tuple.src, &tuple.dst) == index_hash_ends(&back.src, &back.dst));
		assert_true(index_hash_hosts(&tuple) == index_hash_hosts(&back));
		other.src.port++;
		assert_true(index_hash_ends(&tuple.src, &tuple.dst) != index_hash_ends(&other.src, &other.dst));
		assert_true(index_hash_hosts(&tuple) == index_hash_hosts(&other));
		other.src.address[3]++;
		assert_true(index_hash_hosts(&tuple) != index_hash_hosts(&other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_program_has_a_seed_of_its_own),
		cmocka_unit_test(ends_and_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
