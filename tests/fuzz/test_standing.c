// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules as the kernel tells of them, of any bytes: messages of nf_tables, and a table of iptables-legacy, each in memory of just its size. What
 * stands is looked for at all, and the same whenever it is looked at; what is said of it a terminal can take.
 *
 * Of messages an input is a list: a byte for the kind of object, one for its family, one for how many bytes of attributes follow, in words.
 */
#include "fuzz.h"
#include "watch/nft_ruleset.h"
#include "watch/xt_table.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static const struct sought sought = {
	.queues = { true, 4, 6 },
	.sure_queues = { true, 7, 9 },
	.helper = "nfq-ftp",
};

ONLY_CHECKS static void check_standing(const struct standing *standing)
{
	char text[STANDING_TEXT_MAX];

	MUST((standing->places & ~standing_sought(&sought)) == 0);
	standing_text(standing->places, text);
	MUST(memchr(text, '\0', sizeof(text)));
	for (const char *at = text; *at; at++)
		MUST(*at >= ' ' && *at <= '~');
}

/* ---- nf_tables ---- */

/* Return: the message; the caller frees. */
static struct nlmsghdr *read_object(struct input *input, uint8_t what)
{
	static const uint8_t types[] = { NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWOBJ, NFT_MSG_NEWRULE };
	const struct nfgenmsg header = { .nfgen_family = input_byte(input) };
	const size_t headers = sizeof(struct nlmsghdr) + sizeof(header);
	struct nlmsghdr *message;
	size_t length;
	uint8_t *attributes = input_copy(input, input_byte(input) * 4u, &length);

	message = malloc(headers + length);
	MUST(message);
	*message = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(headers + length),
				      .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | types[what & 3],
				      .nlmsg_flags = what == 0xff ? NLM_F_DUMP_INTR : 0 };
	memcpy(message + 1, &header, sizeof(header));
	memcpy((uint8_t *)message + headers, attributes, length);
	free(attributes);
	return message;
}

static void read_messages(struct input *input)
{
	struct standing standing = { 0 }, again = { 0 };
	struct nft_ruleset ruleset;
	bool sorted = false;

	nft_ruleset_begin(&ruleset, &sought);
	while (input->left) {
		const uint8_t what = input_byte(input);
		struct nlmsghdr *message;

		if (sorted && (what & 3) != 3)
			break; /* rules come last */
		if (!sorted && (what & 3) == 3)
			nft_ruleset_sort(&ruleset);
		sorted = (what & 3) == 3;
		message = read_object(input, what);
		nft_ruleset_take(&ruleset, message);
		free(message);
	}
	nft_ruleset_sort(&ruleset);
	MUST(nft_ruleset_judge(&ruleset, &standing) == 0);
	check_standing(&standing);
	MUST(nft_ruleset_judge(&ruleset, &again) == 0);
	MUST((standing.places & ~again.places) == 0);
	nft_ruleset_end(&ruleset);
}

/* ---- iptables-legacy ---- */

/* Hooks begin at multiples of eight, mostly: all that is a place for an entry. */
static unsigned int read_place(struct input *input)
{
	const unsigned int place = input_byte(input) * 8u;

	return place == 255 * 8u ? input_u32(input) : place;
}

static void read_table(struct input *input, enum standing_family family)
{
	struct xt_table table = { .family = family, .valid_hooks = input_byte(input) };
	struct standing standing = { 0 };
	size_t length;
	uint8_t *entries;

	for (unsigned int hook = 0; hook < STANDING_HOOKS; hook++) {
		table.hook_entry[hook] = read_place(input);
		table.underflow[hook] = read_place(input);
	}
	entries = input_copy(input, 4096, &length);
	table.entries = entries;
	table.size = length;
	MUST(xt_table_judge(&table, &sought, &standing) == 0);
	free(entries);
	check_standing(&standing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const uint8_t how = input_byte(&input);

	if (how & 1)
		read_table(&input, how & 2 ? STANDING_IPV6 : STANDING_IPV4);
	else
		read_messages(&input);
	return 0;
}
