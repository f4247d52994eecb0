/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules_machine.h"

#include "kernel/cthelper.h"
#include "rules_nft.h"
#include "rules_program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

int rules_machine_cthelper(void)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int error = exchange ? exchange_open(exchange) : -ENOMEM;

	if (!error) {
		error = cthelper_available(exchange);
		exchange_close(exchange);
	}
	free(exchange);
	return error;
}

int rules_machine_register(void)
{
	static const struct cthelper_policy policy = { .expectations = 8, .seconds = 300 };
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int error = exchange ? exchange_open(exchange) : -ENOMEM;

	if (!error) {
		error = cthelper_prepare(exchange, &policy);
		exchange_close(exchange);
	}
	free(exchange);
	return error;
}

int rules_machine_number(const char *path)
{
	FILE *file = fopen(path, "re");
	char text[16] = "", *end = text;
	long number = -1;

	if (file && fgets(text, sizeof(text), file))
		number = strtol(text, &end, 10);
	if (file)
		fclose(file);
	return end == text || number < 0 || number > INT_MAX ? -1 : (int)number;
}

bool rules_machine_kmod(void)
{
	return access("/sys/module/nf_conntrack_nfqftp", F_OK) == 0;
}

enum mode rules_machine_mode(const struct rules_request *request)
{
	if (rules_machine_kmod())
		return MODE_KMOD;
	if (request->sure_queues_given || queue_range_count(&request->run.queues) > 1)
		return MODE_QUEUE;
	return rules_machine_cthelper() == 0 ? MODE_CTHELPER : MODE_QUEUE;
}

bool rules_machine_has(enum rules_backend backend)
{
	const char *const argv[] = { backend == RULES_BACKEND_NFT ? "nft" : "iptables", "--version", NULL };
	char complaint[PROGRAM_COMPLAINT_MAX];

	return program_run(argv, NULL, NULL, complaint) == 0;
}

/* A helper of user space may not be registered yet: in these modes, that nft is installed must do. */
enum rules_backend rules_machine_backend(const struct rules_request *request)
{
	if (!rules_machine_has(RULES_BACKEND_NFT))
		return RULES_BACKEND_IPTABLES;
	if (request->run.mode != MODE_QUEUE || geteuid() != 0 || rules_nft_check(request) == 0)
		return RULES_BACKEND_NFT;
	return RULES_BACKEND_IPTABLES;
}
