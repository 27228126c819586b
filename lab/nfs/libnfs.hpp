// libnfs's raw RPCs (RFC 1813). Its headers use types that they don't include.
#pragma once

#include <sys/time.h>
#include <sys/types.h>

#include <nfsc/libnfs.h>

#include <nfsc/libnfs-raw.h>

#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs-raw-nfs.h>

// libnfs.so.13 has it, but only a private header declares it. Retries: -1 for ever. Connecting anew sets it back to none.
extern "C" void rpc_set_autoreconnect(rpc_context* rpc, int retries);
