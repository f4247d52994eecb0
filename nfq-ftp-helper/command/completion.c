// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What bash and zsh need to complete a command line, from the table of commands and that of options.
 *
 * Where a value may be anything, nothing is offered; where it is one of some words, these; where it is a path, paths. A value that may
 * be left out is followed by options all the same.
 */
#include "command.h"
#include "option.h"
#include "output/say.h"

#include <string.h>

static void print_words(const struct option_row *row)
{
	if (row->kind == OPTION_FLAG)
		fputs("yes no", stdout);
	for (unsigned int i = 0; row->words && row->words[i]; i++)
		printf("%s%s", i > 0 ? " " : "", row->words[i]);
}

/* Has it a value that is one of some words? */
static bool has_words(const struct option_row *row)
{
	return row->kind == OPTION_WORD || row->kind == OPTION_FLAG;
}

/* ---- bash ---- */

static const char bash_begin[] =
	"# bash completion for nfq-ftp-helper, from its table of options: `nfq-ftp-helper completion bash' prints it.\n"
	"_nfq_ftp_helper()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t# --mode=queue comes as three words.\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n";

static const char bash_end[] = "\tif [[ $words == PATHS || $words == FOLDERS ]]; then\n"
			       "\t\tcompopt -o filenames 2>/dev/null\n"
			       "\t\t[[ $words == PATHS ]] && words=-f || words=-d\n"
			       "\t\tmapfile -t COMPREPLY < <(compgen \"$words\" -- \"$cur\")\n"
			       "\telse\n"
			       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
			       "\tfi\n"
			       "}\n"
			       "complete -F _nfq_ftp_helper nfq-ftp-helper\n";

/* What stands for a path: a folder's, where the help says so. */
static bool is_folder(const struct option_row *row)
{
	return strcmp(row->argument, "DIR") == 0;
}

static void bash_value(const struct command *command, const struct option_row *row)
{
	printf("\t%s:--%s", command->name, row->name);
	if (row->letter)
		printf(" | %s:-%c", command->name, row->letter);
	printf(") words=\"");
	if (has_words(row))
		print_words(row);
	else if (row->kind == OPTION_PATH)
		printf("%s", is_folder(row) ? "FOLDERS" : "PATHS");
	printf("\" ;;\n");
}

static void bash_command(const struct command *command)
{
	const struct option_row *row = NULL;

	while ((row = option_next(command->options, row)) != NULL)
		if (row->argument && !row->optional)
			bash_value(command, row);
	printf("\t%s:*)\n\t\twords=\"", command->name);
	while ((row = option_next(command->options, row)) != NULL) {
		printf("--%s ", row->name);
		if (row->letter)
			printf("-%c ", row->letter);
	}
	printf("\"\n%s\t\t;;\n", command->options & OPTION_OF_PLAYBACK ? "\t\t[[ $cur == -* ]] || words=PATHS\n" : "");
}

static void bash_print(void)
{
	fputs(bash_begin, stdout);
	printf("\tif ((COMP_CWORD == 1)); then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"--help --version");
	for (const struct command *command = command_table; command->name; command++) {
		if (command->description)
			printf(" %s", command->name);
	}
	printf("\" -- \"$cur\")\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]}:$prev in\n");
	for (const struct command *command = command_table; command->name; command++) {
		if (command->description)
			bash_command(command);
	}
	printf("\t*) return ;;\n\tesac\n");
	fputs(bash_end, stdout);
}

/* ---- zsh ---- */

/* As far as the first semicolon that no parentheses are around, within '' and []. */
static void zsh_text(const char *text)
{
	int depth = 0;

	for (; *text && (*text != ';' || depth); text++) {
		depth += (*text == '(') - (*text == ')');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_value(const struct option_row *row)
{
	if (!row->argument)
		return;
	printf("%s:", row->optional ? ":" : "");
	zsh_text(row->argument);
	putchar(':');
	if (has_words(row)) {
		putchar('(');
		print_words(row);
		putchar(')');
	} else if (row->kind == OPTION_PATH) {
		printf("%s", is_folder(row) ? "_files -/" : "_files");
	}
}

static void zsh_spec(const char *dashes, const char *name, const char *equals, const struct option_row *row)
{
	printf(" \\\n\t\t'*%s%s%s[", dashes, name, row->argument ? equals : "");
	zsh_text(row->help);
	putchar(']');
	zsh_value(row);
	putchar('\'');
}

static void zsh_command(const struct command *command)
{
	const struct option_row *row = NULL;

	printf("%s)\n\t_arguments", command->name);
	while ((row = option_next(command->options, row)) != NULL) {
		const char letter[] = { row->letter, '\0' };

		zsh_spec("--", row->name, row->optional ? "=-" : "=", row);
		if (row->letter)
			zsh_spec("-", letter, "+", row);
	}
	printf("%s\n\t;;\n", command->options & OPTION_OF_PLAYBACK ? " \\\n\t\t'*:capture:_files'" : "");
}

static void zsh_print(void)
{
	printf("#compdef nfq-ftp-helper\n"
	       "# From its table of options: `nfq-ftp-helper completion zsh' prints it.\n"
	       "local -a commands\n"
	       "commands=(\n");
	for (const struct command *command = command_table; command->name; command++) {
		if (!command->description)
			continue;
		printf("\t'%s:", command->name);
		zsh_text(command->description);
		printf("'\n");
	}
	printf(")\n"
	       "if ((CURRENT == 2)); then\n"
	       "\t_describe command commands\n"
	       "\t_arguments '--help[what there is]' '--version[which version this is]'\n"
	       "\treturn\n"
	       "fi\n"
	       "shift words\n"
	       "((CURRENT--))\n"
	       "case $words[1] in\n");
	for (const struct command *command = command_table; command->name; command++) {
		if (command->description)
			zsh_command(command);
	}
	printf("esac\n");
}

int command_completion(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "bash") == 0) {
		bash_print();
	} else if (argc == 2 && strcmp(argv[1], "zsh") == 0) {
		zsh_print();
	} else {
		say_sentence("`completion' is for bash or zsh: name one of them");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}
