/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found_iptables - what iptables-save and ip6tables-save say.
 */
#ifndef RULESET_FOUND_IPTABLES_H
#define RULESET_FOUND_IPTABLES_H

#include "found.h"

/**
 * found_iptables_read - add it to @found, and what iptables-legacy has besides, where `iptables' works over nf_tables
 * @ipv6: of ip6tables
 * @over_nft: set to true where nf_tables is what holds them
 * @complaint: as program_run()'s
 *
 * Return: 0; -ENOENT: there is no iptables; another negative errno.
 */
int found_iptables_read(struct found *found, bool ipv6, bool *over_nft, char *complaint);

#endif
