/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * described - the description of this program's own layout is the same each time, and finding it out takes longer than most that is done with a
 * table: it is kept, and every thousandth time found out again and compared.
 *
 * The linker puts these in the place of core/table/table_layout's (Makefile).
 */
#ifndef FUZZ_DESCRIBED_H
#define FUZZ_DESCRIBED_H

#include "core/table/table_layout.h"
#include "fuzz.h"

#define DESCRIBED_OF 1000

void __real_table_layout_describe(struct table_description *description);
void __wrap_table_layout_describe(struct table_description *description);
bool __real_table_layout_is_own(const struct table_description *description);
bool __wrap_table_layout_is_own(const struct table_description *description);

static struct table_description described_own;

void __wrap_table_layout_describe(struct table_description *description)
{
	static unsigned int number;
	struct table_description own;

	if (number % DESCRIBED_OF == 0) {
		__real_table_layout_describe(&own);
		MUST(number == 0 || memcmp(&own, &described_own, sizeof(own)) == 0);
		described_own = own;
	}
	number++;
	*description = described_own;
}

bool __wrap_table_layout_is_own(const struct table_description *description)
{
	static unsigned int number;
	struct table_description own;
	bool is;

	__wrap_table_layout_describe(&own);
	own.sessions.offset = description->sessions.offset;
	own.sessions.count = description->sessions.count;
	own.works.offset = description->works.offset;
	own.works.count = description->works.count;
	is = memcmp(description, &own, sizeof(own)) == 0;
	MUST(number++ % DESCRIBED_OF != 0 || __real_table_layout_is_own(description) == is);
	return is;
}

#endif
