// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * noted - which comparisons libFuzzer takes notes of: those of one execution in 32. From its notes it takes what to put into an input
 * (a word, a number that something was compared with), and whatever is compared is compared often enough for that. Taking them of all would
 * take up to half of the time, and of every eighth still a tenth. What an input reaches is counted each time, and what is checked is no part of this.
 *
 * The linker puts these in the place of libFuzzer's own (Makefile, NOTED). Nothing in here is instrumented.
 */
#include "fuzz.h"

#define NOTED_OF 32u

static unsigned int left; /* executions until the next one that is noted; 0: this one is */

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	left = (left ? left : NOTED_OF) - 1;
	return __real_LLVMFuzzerTestOneInput(data, size);
}

/* Any two numbers that the compiler has compared. */
#define NUMBERS(name, type)                                                                                            \
	void __real___sanitizer_cov_trace_##name(type a, type b);                                                      \
	void __wrap___sanitizer_cov_trace_##name(type a, type b);                                                      \
	void __wrap___sanitizer_cov_trace_##name(type a, type b)                                                       \
	{                                                                                                              \
		if (!left)                                                                                             \
			__real___sanitizer_cov_trace_##name(a, b);                                                     \
	}

NUMBERS(cmp1, uint8_t)
NUMBERS(cmp2, uint16_t)
NUMBERS(cmp4, uint32_t)
NUMBERS(cmp8, uint64_t)
NUMBERS(const_cmp1, uint8_t)
NUMBERS(const_cmp2, uint16_t)
NUMBERS(const_cmp4, uint32_t)
NUMBERS(const_cmp8, uint64_t)
void __real___sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases);
void __wrap___sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases);

void __wrap___sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases)
{
	if (!left)
		__real___sanitizer_cov_trace_switch(value, cases);
}

/* Texts and bytes, which ASan tells of. */
#define TEXTS(name, type)                                                                                              \
	void __real___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, type result);             \
	void __wrap___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, type result);             \
	void __wrap___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, type result)              \
	{                                                                                                              \
		if (!left)                                                                                             \
			__real___sanitizer_weak_hook_##name(caller, a, b, result);                                     \
	}

TEXTS(strcmp, int)
TEXTS(strcasecmp, int)
TEXTS(strstr, char *)
TEXTS(strcasestr, char *)

#define BYTES(name)                                                                                                    \
	void __real___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, size_t most, int result); \
	void __wrap___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, size_t most, int result); \
	void __wrap___sanitizer_weak_hook_##name(void *caller, const void *a, const void *b, size_t most, int result)  \
	{                                                                                                              \
		if (!left)                                                                                             \
			__real___sanitizer_weak_hook_##name(caller, a, b, most, result);                               \
	}

BYTES(memcmp)
BYTES(strncmp)
BYTES(strncasecmp)
