// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our conntrack helper on a kernel of 7.2 or later, which takes one away whoever uses it: so nothing is to be taken away that is used, and no
 * other program's ever. The kernel is this file's own, behind exchange_run_one() and exchange_walk().
 */
#include "unit.h"

#include "kernel/cthelper.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_cthelper.h>

#define NEW (NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_NEW)
#define DEL (NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_DEL)

static struct kernel {
	bool strangers;	      /* the helper of our name is of another kind */
	const char *tables;   /* of iptables-legacy, as root may read; NULL: it is not loaded */
	bool forbidden;	      /* nobody else than root may */
	unsigned int user_in; /* what its user is listed among; 0: it has none */
	const char *name;     /* that the user names */
	int walk_error;	      /* of lists of nf_tables */
	unsigned int made, deleted, walked;
} kernel;

static struct exchange exchange;
static const struct cthelper_policy policy = { .expectations = 4, .seconds = 300 };

int __wrap_exchange_run_one(struct exchange *asked);
int __wrap_exchange_walk(struct exchange *asked, void (*look)(void *context, const struct nlmsghdr *object),
			 void *context);
FILE *__wrap_fopen(const char *path, const char *mode);

int __wrap_exchange_run_one(struct exchange *asked)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)asked->request[0];

	assert_int_equal(asked->count, 1);
	asked->sent = true;
	if (message->nlmsg_type == DEL) {
		kernel.deleted++;
		return 0;
	}
	assert_int_equal(message->nlmsg_type, NEW);
	if (message->nlmsg_flags & NLM_F_EXCL) {
		kernel.made++;
		return -EEXIST;
	}
	return kernel.strangers ? -EBUSY : 0;
}

/* An object that names a helper, deep inside of it, or something that only looks like that. */
int __wrap_exchange_walk(struct exchange *asked, void (*look)(void *context, const struct nlmsghdr *object),
			 void *context)
{
	const struct nlmsghdr *question = (const struct nlmsghdr *)(const void *)asked->request[0];
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(question);
	_Alignas(8) char bytes[256] = { 0 };
	struct nlmsghdr *object = mnl_nlmsg_put_header(bytes);
	struct nlattr *outer, *inner;

	asked->sent = true;
	assert_int_equal(header->nfgen_family, AF_UNSPEC);
	assert_true(question->nlmsg_flags & NLM_F_DUMP);
	kernel.walked++;
	if (question->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && kernel.walk_error)
		return kernel.walk_error;
	mnl_nlmsg_put_extra_header(object, sizeof(struct nfgenmsg));
	outer = mnl_attr_nest_start(object, 5);
	inner = mnl_attr_nest_start(object, 1);
	mnl_attr_put_strz(object, 1, question->nlmsg_type == kernel.user_in ? kernel.name : "sane");
	mnl_attr_nest_end(object, inner);
	mnl_attr_nest_end(object, outer);
	look(context, object);
	return 0;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	static char text[64];

	assert_string_equal(mode, "re");
	if (kernel.forbidden || !kernel.tables || strcmp(path, "/proc/net/ip6_tables_names") == 0) {
		errno = kernel.forbidden ? EACCES : ENOENT;
		return NULL;
	}
	snprintf(text, sizeof(text), "%s", kernel.tables);
	return fmemopen(text, strlen(text), "r");
}

static int unregister(const struct kernel *how)
{
	kernel = *how;
	if (!kernel.name)
		kernel.name = CTHELPER_NAME;
	return cthelper_unregister(&exchange);
}

/* A dead copy would be left to whoever uses it: a connection, an object or a rule. */
static void used_one_stays(void **state)
{
	static const unsigned int lists[] = { NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
					      NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ,
					      NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(unregister(&(struct kernel){ .user_in = lists[i] }), -EBUSY);
		assert_int_equal(kernel.deleted, 0);
		/* Another's of a longer name. */
		assert_int_equal(unregister(&(struct kernel){ .user_in = lists[i], .name = CTHELPER_NAME "2" }), 0);
		assert_int_equal(kernel.deleted, 2);
	}
}

static void unused_one_goes(void **state)
{
	(void)state;
	assert_int_equal(unregister(&(struct kernel){ 0 }), 0);
	assert_int_equal(kernel.walked, 3);
	assert_int_equal(kernel.deleted, 2);
	assert_int_equal(unregister(&(struct kernel){ .walk_error = -EINVAL }), 0);
	assert_int_equal(kernel.deleted, 2);
}

/* In doubt it stays. */
static void doubt_keeps_it(void **state)
{
	(void)state;
	assert_int_equal(unregister(&(struct kernel){ .tables = "mangle\nraw\n" }), -EBUSY);
	assert_int_equal(kernel.deleted, 0);
	assert_int_equal(unregister(&(struct kernel){ .forbidden = true }), -EBUSY);
	assert_int_equal(kernel.deleted, 0);
	assert_int_equal(unregister(&(struct kernel){ .tables = "mangle\nfilter\n" }), 0);
	assert_int_equal(kernel.deleted, 2);
	assert_int_equal(unregister(&(struct kernel){ .walk_error = -ETIMEDOUT }), -ETIMEDOUT);
	assert_int_equal(kernel.deleted, 0);
}

/* It may be used, and nobody could tell. */
static void strangers_one_stays(void **state)
{
	(void)state;
	kernel = (struct kernel){ .strangers = true };
	assert_int_equal(cthelper_register(&exchange, 0, &policy), -EBUSY);
	assert_int_equal(kernel.deleted, 0);
	kernel = (struct kernel){ 0 };
	assert_int_equal(cthelper_register(&exchange, 0, &policy), 0);
	assert_int_equal(kernel.made, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_one_stays),
		cmocka_unit_test(unused_one_goes),
		cmocka_unit_test(doubt_keeps_it),
		cmocka_unit_test(strangers_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
