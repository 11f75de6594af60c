// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_library.h"

#include <stddef.h>

#ifdef HAVE_LIBNBD
static struct nbd_library libnbd;
LAZY_LIBRARY(libnbd, LIBNBD_FUNCTIONS, "libnbd.so.0", "nbd",
	     "copies from and to NBD servers", "suggested")

const struct nbd_library *
nbd_library_load(void)
{
	return load_libnbd() == 0 ? &libnbd : NULL;
}
#else
const struct nbd_library *
nbd_library_load(void)
{
	return NULL;
}
#endif
