// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_layout.h"

#include <errno.h>
#include <stdlib.h>

/* Is this a table of this layout and this size? */
static bool is_same(const struct table *table, const struct table_size *size)
{
	struct table_description description;
	const size_t bytes = table_bytes(size);

	return table_description_read((const uint8_t *)table, bytes, &description) == TABLE_TAKEN_UP &&
	       table_layout_is_own(&description) && memcmp(&table->size, size, sizeof(*size)) == 0;
}

/* Make place for a new table, and fill it with what was there. */
static enum table_left take_up_here(struct table *table, const struct table_size *size, const uint64_t seed[2],
				    struct table_taken *taken)
{
	const size_t bytes = table_bytes(size);
	void *left = malloc(bytes);
	enum table_left what = TABLE_STRANGE;

	if (left) {
		memcpy(left, table, bytes);
		memset((void *)table, 0, bytes);
		what = table_take_up(table_new(table, size, seed), left, bytes, taken);
	}
	free(left);
	return what;
}

struct table *table_open(void *memory, const struct table_size *size, const uint64_t seed[2], uint32_t *recovered)
{
	const struct table_size whole = table_rounded(size);
	struct table_taken taken = { 0 };
	struct table *table = memory;

	if (table->description.magic == 0) {
		table_new(memory, &whole, seed);
	} else if (!is_same(table, &whole) || take_up_here(table, &whole, seed, &taken) != TABLE_TAKEN_UP) {
		errno = EINVAL;
		return NULL;
	}
	if (recovered)
		*recovered = taken.sessions;
	return table;
}
