// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system calls themselves: libcap would be one more library for three of them.
 */
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More than there are: the kernel says which is the first that is not. */
#define CAPABILITIES_MAX 64

void capabilities_bound(uint64_t set)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (!(set >> i & 1))
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	}
}

int capabilities_keep(uint64_t set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted = (uint32_t)(set >> 32 * i);
		data[i].effective = data[i].permitted;
	}
	/* Kernels before 4.3 have no ambient ones. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
