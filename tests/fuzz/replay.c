// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay - a target without libFuzzer, for compilers that have none: gives it every input of a corpus, a line of
 * hexadecimal digits each (tests/fuzz/corpus), from memory of just its size. Which input it was that a target or a
 * sanitizer ended the program for is said at the end of all.
 *
 * Usage: test_NAME CORPUS
 */
#include "fuzz.h"

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static unsigned long number; /* of the input, which is its line's */

/* Sanitizers are to end the program as MUST() does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:detect_stack_use_after_return=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void say_number(int received)
{
	static const char said[] = "that was the input in line ";
	char text[sizeof(said) + 21];
	size_t at = sizeof(text);

	/* By hand: printf() may not be called in here. */
	text[--at] = '\n';
	for (unsigned long rest = number; at == sizeof(text) - 1 || rest; rest /= 10)
		text[--at] = (char)('0' + rest % 10);
	at -= sizeof(said) - 1;
	memcpy(text + at, said, sizeof(said) - 1);
	(void)!write(STDERR_FILENO, text + at, sizeof(text) - at);
	signal(received, SIG_DFL);
	raise(received);
}

static unsigned int digit(char character)
{
	return isdigit((unsigned char)character) ? (unsigned int)(character - '0') :
						   (unsigned int)(character - 'a') + 10;
}

/* Return: whether the line is an even number of digits, as corpus.py writes them. */
static int run_line(const char *line, size_t digits)
{
	uint8_t *data;

	if (digits % 2 || strspn(line, "0123456789abcdef") != digits)
		return 0;
	data = malloc(digits ? digits / 2 : 1);
	MUST(data);
	for (size_t i = 0; i < digits / 2; i++)
		data[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
	LLVMFuzzerTestOneInput(data, digits / 2);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	FILE *corpus = argc == 2 ? fopen(argv[1], "r") : NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	bool good = true;

	if (!corpus) {
		fprintf(stderr, "%s: `%s' is no corpus that can be read\n", argv[0], argc == 2 ? argv[1] : "");
		return 2;
	}
	signal(SIGABRT, say_number);
	signal(SIGSEGV, say_number);
	while (good && (length = getline(&line, &room, corpus)) > 0) {
		number++;
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		good = run_line(line, (size_t)length);
	}
	free(line);
	fclose(corpus);
	if (!good) {
		fprintf(stderr, "%s: line %lu is no input\n", argv[1], number);
		return 2;
	}
	printf("%lu inputs\n", number);
	return number == 0;
}
