// SPDX-License-Identifier: GPL-2.0-or-later
#include "figures.h"

#include <string.h>

#define MICROSECOND UINT64_C(1000)
#define MILLISECOND UINT64_C(1000000)

_Static_assert(sizeof(struct figures) % sizeof(uint64_t) == 0, "figures are nothing but 64 bit numbers");

const uint64_t figures_bounds[FIGURES_BUCKETS - 1] = {
	10 * MICROSECOND,  25 * MICROSECOND, 50 * MICROSECOND,	 100 * MICROSECOND, 250 * MICROSECOND,
	500 * MICROSECOND, MILLISECOND,	     2500 * MICROSECOND, 5 * MILLISECOND,   10 * MILLISECOND,
	25 * MILLISECOND,  50 * MILLISECOND, 100 * MILLISECOND,
};

void figures_latency(struct figures *figures, unsigned int packets, uint64_t nanoseconds)
{
	unsigned int bucket = 0;

	while (bucket < FIGURES_BUCKETS - 1 && nanoseconds > figures_bounds[bucket])
		bucket++;
	figures->latency[bucket] += packets;
	figures->latency_nanoseconds += packets * nanoseconds;
}

void figures_publish(struct published *published, const struct figures *figures)
{
	snapshot_write(&published->version, published->words, figures, SNAPSHOT_WORDS(struct figures));
}

bool figures_read(const struct published *published, struct figures *figures)
{
	return snapshot_read(&published->version, published->words, figures, SNAPSHOT_WORDS(struct figures));
}

uint64_t figures_number_at(const void *numbers, size_t at)
{
	uint64_t number;

	memcpy(&number, (const char *)numbers + at, sizeof(number));
	return number;
}

uint64_t figures_refusals(const struct counters *counters)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < REFUSALS; i++)
		sum += counters->refusals[i];
	return sum;
}

void figures_add(struct figures *sum, const struct figures *figures)
{
	for (size_t at = 0; at < sizeof(*sum); at += sizeof(uint64_t)) {
		const uint64_t total = figures_number_at(sum, at) + figures_number_at(figures, at);

		memcpy((char *)sum + at, &total, sizeof(total));
	}
}
