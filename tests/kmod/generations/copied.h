/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generations that register copies have in common. FAMILY(helper) is the family of one. */
#ifndef TEST_KMOD_COPIED_H
#define TEST_KMOD_COPIED_H

#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELPERS_MAX 4

static struct nf_conntrack_helper *registry[HELPERS_MAX];

int nf_conntrack_helpers_register(struct nf_conntrack_helper *helper, unsigned int n,
				  struct nf_conntrack_helper **helper_ptr)
{
	for (unsigned int i = 0; i < n; i++) {
		if (kernel_find(helper[i].name, FAMILY(&helper[i])))
			return -EBUSY;
		helper_ptr[i] = malloc(sizeof(*helper));
		if (!helper_ptr[i])
			return -ENOMEM;
		*helper_ptr[i] = helper[i];
		for (unsigned int place = 0; place < HELPERS_MAX; place++)
			if (!registry[place]) {
				registry[place] = helper_ptr[i];
				break;
			}
	}
	return 0;
}

/* Connections keep the copies: nothing is freed. */
void nf_conntrack_helpers_unregister(struct nf_conntrack_helper **helper, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int place = 0; place < HELPERS_MAX; place++)
			if (registry[place] == helper[i]) {
				registry[place]->help = NULL;
				registry[place] = NULL;
			}
}

struct nf_conntrack_helper *kernel_find(const char *name, unsigned int family)
{
	for (unsigned int place = 0; place < HELPERS_MAX; place++)
		if (registry[place] && FAMILY(registry[place]) == family && !strcmp(registry[place]->name, name))
			return registry[place];
	return NULL;
}

#endif
