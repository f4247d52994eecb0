/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family - the kernel's number of an address family.
 */
#ifndef KERNEL_FAMILY_H
#define KERNEL_FAMILY_H

#include "core/wire/endpoint.h"

#include <stdint.h>
#include <sys/socket.h>

/* AF_INET or AF_INET6; of none: AF_UNSPEC, which is all. */
static inline uint8_t family_number(uint8_t family)
{
	if (!family)
		return AF_UNSPEC;
	return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

#endif
