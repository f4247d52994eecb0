/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - the kernel's settings below /proc/sys.
 */
#ifndef HOST_SYSCTL_H
#define HOST_SYSCTL_H

/* A command; @word is for the file's name. It is set now, and at each start of the machine. */
#define SYSCTL_SET_FOR_GOOD(name, number, word)                                                                        \
	"sysctl -w " name "=" number " | tee /etc/sysctl.d/60-nfq-ftp-helper-" word ".conf"

/* Before it, where the setting is a module's: one that is not loaded yet when the machine's settings are made does not get them. */
#define SYSCTL_MODULE_FIRST(module) "echo " module " >/etc/modules-load.d/60-nfq-ftp-helper-" module ".conf; "

/* The number that a setting holds, "net/ipv4/ip_forward"; -1: there is none of this name, or it holds no number. */
int sysctl_number(const char *name);

#endif
