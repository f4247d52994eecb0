// SPDX-License-Identifier: GPL-2.0-or-later
/* Helpers are kept as they are; they have to be different in what they go by. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HELPERS_MAX 4

static struct nf_conntrack_helper *registry[HELPERS_MAX];

void nf_ct_helper_init(struct nf_conntrack_helper *helper, u16 l3num, u16 protonum, const char *name, u16 default_port,
		       u16 spec_port, u32 id, const struct nf_conntrack_expect_policy *exp_pol, u32 expect_class_max,
		       int (*help)(struct sk_buff *, unsigned int, struct nf_conn *, enum ip_conntrack_info),
		       int (*from_nlattr)(struct nlattr *, struct nf_conn *), struct module *module)
{
	(void)expect_class_max;
	(void)from_nlattr;
	memset(helper, 0, sizeof(*helper));
	helper->tuple.l3num = l3num;
	helper->tuple.port = spec_port;
	helper->tuple.protonum = (u8)protonum;
	helper->expect_policy = exp_pol;
	helper->help = help;
	helper->me = module;
	if (spec_port == default_port)
		snprintf(helper->name, sizeof(helper->name), "%s", name);
	else
		snprintf(helper->name, sizeof(helper->name), "%s-%u", name, id);
}

int nf_conntrack_helpers_register(struct nf_conntrack_helper *helper, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (kernel_find(helper[i].name, helper[i].tuple.l3num))
			return -EBUSY;
		for (unsigned int place = 0; place < HELPERS_MAX; place++)
			if (!registry[place]) {
				registry[place] = &helper[i];
				break;
			}
	}
	return 0;
}

void nf_conntrack_helpers_unregister(struct nf_conntrack_helper *helper, unsigned int n)
{
	for (unsigned int place = 0; place < HELPERS_MAX; place++)
		if (registry[place] >= helper && registry[place] < helper + n)
			registry[place] = NULL;
}

struct nf_conntrack_helper *kernel_find(const char *name, unsigned int family)
{
	for (unsigned int place = 0; place < HELPERS_MAX; place++)
		if (registry[place] && registry[place]->tuple.l3num == family && !strcmp(registry[place]->name, name))
			return registry[place];
	return NULL;
}

struct kernel_view kernel_look(const struct nf_conntrack_helper *helper)
{
	return (struct kernel_view){ helper->tuple.l3num, helper->tuple.protonum, helper->tuple.port,
				     helper->expect_policy->max_expected, helper->expect_policy->timeout };
}
