#include "lab/nfs/file_system.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "lab/nfs/attributes.hpp"

namespace penstock::lab {
namespace {

constexpr double attributes_last_s = 3;  // the kernel client's acregmin
constexpr double names_last_s = 3;
constexpr std::uint32_t file_name_size_max = 255;
constexpr std::uint32_t space_unit = 4096;  // bytes, of statvfs

FileSystem& file_system_of(fuse_req_t request) { return *static_cast<FileSystem*>(fuse_req_userdata(request)); }

nfs_fh3 handle_of(fuse_req_t request, fuse_ino_t node) {
  const std::string& handle = file_system_of(request).nodes.handle(node);
  nfs_fh3 fh{};
  fh.data = {.data_len = static_cast<u_int>(handle.size()), .data_val = const_cast<char*>(handle.data())};
  return fh;
}

diropargs3 entry_of(fuse_req_t request, fuse_ino_t folder, const char* name) {
  return {.dir = handle_of(request, folder), .name = const_cast<char*>(name)};
}

void on_reply(rpc_context*, int status, void* data, void* waiting) {
  WaitingRequests::end(static_cast<WaitingRequests::Waiting*>(waiting), status == RPC_STATUS_SUCCESS ? data : nullptr);
}

// Sends the RPC in the caller's name. `answer` is called with a good reply; a failure goes to the kernel as it is.
template <typename Reply, typename Arguments>
void call(fuse_req_t request, int (*send)(rpc_context*, rpc_cb, Arguments*, void*),
          std::type_identity_t<Arguments> arguments, std::function<void(const Reply&)> answer) {
  FileSystem& file_system = file_system_of(request);
  auto* waiting = file_system.waiting.begin(request, WaitingRequests::Clock::now(),
                                            [request, answer = std::move(answer)](const void* data) {
                                              const auto& reply = *static_cast<const Reply*>(data);
                                              if (reply.status == NFS3_OK) return answer(reply);
                                              fuse_reply_err(request, -nfsstat3_to_errno(reply.status));
                                            });
  const fuse_ctx* caller = fuse_req_ctx(request);
  if (send(file_system.server.as(caller->uid, caller->gid), on_reply, &arguments, waiting) != 0)
    WaitingRequests::end(waiting, nullptr);
}

// ---- what several answers have in common

// RFC 1813 lets servers leave out attributes and handles of what was just made; those that do aren't served.
void answer_attributes(fuse_req_t request, const post_op_attr& attributes) {
  if (!attributes.attributes_follow) return void(fuse_reply_err(request, EIO));
  const struct stat status = to_stat(attributes.post_op_attr_u.attributes);
  fuse_reply_attr(request, &status, attributes_last_s);
}

fuse_entry_param entry_with(FileSystem& file_system, const std::string_view handle, const fattr3& attributes) {
  fuse_entry_param entry{};
  entry.ino = file_system.nodes.look_up(handle);
  entry.attr = to_stat(attributes);
  entry.attr_timeout = attributes_last_s;
  entry.entry_timeout = names_last_s;
  return entry;
}

// `reply` gives the entry to the kernel; if that has lost interest, it was no look-up.
template <typename ReplyFunction>
void answer_entry(fuse_req_t request, std::string_view handle, const post_op_attr& attributes, ReplyFunction reply) {
  FileSystem& file_system = file_system_of(request);
  if (handle.empty() || !attributes.attributes_follow) return void(fuse_reply_err(request, EIO));
  const fuse_entry_param entry = entry_with(file_system, handle, attributes.post_op_attr_u.attributes);
  if (reply(&entry) != 0) file_system.nodes.forget(entry.ino, 1);
}

void answer_entry(fuse_req_t request, std::string_view handle, const post_op_attr& attributes) {
  answer_entry(request, handle, attributes,
               [request](const fuse_entry_param* entry) { return fuse_reply_entry(request, entry); });
}

std::string_view bytes_of(const nfs_fh3& handle) { return {handle.data.data_val, handle.data.data_len}; }

std::string_view bytes_of(const post_op_fh3& handle) {
  return handle.handle_follows ? bytes_of(handle.post_op_fh3_u.handle) : std::string_view();
}

template <typename Reply>
void answer_done(fuse_req_t request, const Reply&) {
  fuse_reply_err(request, 0);
}

// ---- names

void lookup(fuse_req_t request, fuse_ino_t folder, const char* name) {
  call<LOOKUP3res>(request, rpc_nfs3_lookup_async, {.what = entry_of(request, folder, name)},
                   [request](const LOOKUP3res& reply) {
                     const LOOKUP3resok& found = reply.LOOKUP3res_u.resok;
                     answer_entry(request, bytes_of(found.object), found.obj_attributes);
                   });
}

void forget(fuse_req_t request, fuse_ino_t node, std::uint64_t lookups) {
  file_system_of(request).nodes.forget(node, lookups);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (std::size_t i = 0; i < count; ++i) file_system_of(request).nodes.forget(forgotten[i].ino, forgotten[i].nlookup);
  fuse_reply_none(request);
}

void mkdir(fuse_req_t request, fuse_ino_t folder, const char* name, mode_t mode) {
  call<MKDIR3res>(request, rpc_nfs3_mkdir_async,
                  {.where = entry_of(request, folder, name), .attributes = with_mode(mode)},
                  [request](const MKDIR3res& reply) {
                    const MKDIR3resok& made = reply.MKDIR3res_u.resok;
                    answer_entry(request, bytes_of(made.obj), made.obj_attributes);
                  });
}

void symlink(fuse_req_t request, const char* target, fuse_ino_t folder, const char* name) {
  SYMLINK3args arguments{.where = entry_of(request, folder, name), .symlink = {}};
  arguments.symlink.symlink_data = const_cast<char*>(target);
  call<SYMLINK3res>(request, rpc_nfs3_symlink_async, arguments, [request](const SYMLINK3res& reply) {
    const SYMLINK3resok& made = reply.SYMLINK3res_u.resok;
    answer_entry(request, bytes_of(made.obj), made.obj_attributes);
  });
}

void link(fuse_req_t request, fuse_ino_t node, fuse_ino_t folder, const char* name) {
  call<LINK3res>(request, rpc_nfs3_link_async,
                 {.file = handle_of(request, node), .link = entry_of(request, folder, name)},
                 [request, node](const LINK3res& reply) {
                   const std::string handle = file_system_of(request).nodes.handle(node);
                   answer_entry(request, handle, reply.LINK3res_u.resok.file_attributes);
                 });
}

void unlink(fuse_req_t request, fuse_ino_t folder, const char* name) {
  call<REMOVE3res>(request, rpc_nfs3_remove_async, {.object = entry_of(request, folder, name)},
                   [request](const REMOVE3res& reply) { answer_done(request, reply); });
}

void rmdir(fuse_req_t request, fuse_ino_t folder, const char* name) {
  call<RMDIR3res>(request, rpc_nfs3_rmdir_async, {.object = entry_of(request, folder, name)},
                  [request](const RMDIR3res& reply) { answer_done(request, reply); });
}

// NFS has no RENAME_NOREPLACE and no RENAME_EXCHANGE.
void rename(fuse_req_t request, fuse_ino_t folder, const char* name, fuse_ino_t new_folder, const char* new_name,
            unsigned flags) {
  if (flags != 0) return void(fuse_reply_err(request, EINVAL));
  call<RENAME3res>(request, rpc_nfs3_rename_async,
                   {.from = entry_of(request, folder, name), .to = entry_of(request, new_folder, new_name)},
                   [request](const RENAME3res& reply) { answer_done(request, reply); });
}

void readlink(fuse_req_t request, fuse_ino_t node) {
  call<READLINK3res>(
      request, rpc_nfs3_readlink_async, {.symlink = handle_of(request, node)},
      [request](const READLINK3res& reply) { fuse_reply_readlink(request, reply.READLINK3res_u.resok.data); });
}

// ---- attributes

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  call<GETATTR3res>(request, rpc_nfs3_getattr_async, {.object = handle_of(request, node)},
                    [request](const GETATTR3res& reply) {
                      const struct stat status = to_stat(reply.GETATTR3res_u.resok.obj_attributes);
                      fuse_reply_attr(request, &status, attributes_last_s);
                    });
}

void setattr(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int to_set, fuse_file_info*) {
  SETATTR3args arguments{};
  arguments.object = handle_of(request, node);
  arguments.new_attributes = to_changes(*wanted, to_set);
  call<SETATTR3res>(request, rpc_nfs3_setattr_async, arguments, [request](const SETATTR3res& reply) {
    answer_attributes(request, reply.SETATTR3res_u.resok.obj_wcc.after);
  });
}

void statfs(fuse_req_t request, fuse_ino_t node) {
  call<FSSTAT3res>(request, rpc_nfs3_fsstat_async, {.fsroot = handle_of(request, node)},
                   [request](const FSSTAT3res& reply) {
                     const FSSTAT3resok& space = reply.FSSTAT3res_u.resok;
                     struct statvfs status{};
                     status.f_bsize = status.f_frsize = space_unit;
                     status.f_blocks = space.tbytes / space_unit;
                     status.f_bfree = space.fbytes / space_unit;
                     status.f_bavail = space.abytes / space_unit;
                     status.f_files = space.tfiles;
                     status.f_ffree = space.ffiles;
                     status.f_favail = space.afiles;
                     status.f_namemax = file_name_size_max;
                     fuse_reply_statfs(request, &status);
                   });
}

std::uint32_t access_bits(int mask) {
  std::uint32_t bits = 0;
  if (mask & R_OK) bits |= ACCESS3_READ;
  if (mask & W_OK) bits |= ACCESS3_MODIFY | ACCESS3_EXTEND;
  if (mask & X_OK) bits |= ACCESS3_EXECUTE | ACCESS3_LOOKUP;
  return bits;
}

// Bits that make no sense for the kind of file (EXECUTE of a folder, LOOKUP of a file) are never granted: RFC 1813 §3.3.4.
bool grants(std::uint32_t granted, int mask) {
  return (!(mask & R_OK) || granted & ACCESS3_READ) &&
         (!(mask & W_OK) || granted & (ACCESS3_MODIFY | ACCESS3_EXTEND)) &&
         (!(mask & X_OK) || granted & (ACCESS3_EXECUTE | ACCESS3_LOOKUP));
}

void access(fuse_req_t request, fuse_ino_t node, int mask) {
  call<ACCESS3res>(request, rpc_nfs3_access_async, {.object = handle_of(request, node), .access = access_bits(mask)},
                   [request, mask](const ACCESS3res& reply) {
                     fuse_reply_err(request, grants(reply.ACCESS3res_u.resok.access, mask) ? 0 : EACCES);
                   });
}

// ---- contents

int mask_of(int open_flags) {
  switch (open_flags & O_ACCMODE) {
    case O_RDONLY:
      return R_OK;
    case O_WRONLY:
      return W_OK;
    default:
      return R_OK | W_OK;
  }
}

// Close-to-open: what the kernel has cached of the file is good if the file is the one that was opened last time.
void keep_cache_if_unchanged(FileSystem& file_system, fuse_ino_t node, const post_op_attr& attributes,
                             fuse_file_info& file) {
  file.keep_cache = attributes.attributes_follow && file_system.nodes.is_unchanged_since_last_open(
                                                        node, version_of(attributes.post_op_attr_u.attributes));
  // The size, too, or the file would be read as far as it was long. A negative offset leaves the pages to the open itself.
  if (!file.keep_cache) fuse_lowlevel_notify_inval_inode(file_system.session, node, -1, 0);
}

// Some program files may only be executed; the kernel reads them all the same.
void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  const int mask = mask_of(info->flags);
  call<ACCESS3res>(request, rpc_nfs3_access_async,
                   {.object = handle_of(request, node), .access = access_bits(mask) | ACCESS3_EXECUTE},
                   [request, node, mask, file = *info](const ACCESS3res& reply) mutable {
                     const ACCESS3resok& access = reply.ACCESS3res_u.resok;
                     const bool is_program = mask == R_OK && access.access & ACCESS3_EXECUTE;
                     if (!grants(access.access, mask) && !is_program) return void(fuse_reply_err(request, EACCES));
                     keep_cache_if_unchanged(file_system_of(request), node, access.obj_attributes, file);
                     fuse_reply_open(request, &file);
                   });
}

void create(fuse_req_t request, fuse_ino_t folder, const char* name, mode_t mode, fuse_file_info* info) {
  CREATE3args arguments{.where = entry_of(request, folder, name), .how = {}};
  arguments.how.mode = info->flags & O_EXCL ? GUARDED : UNCHECKED;
  arguments.how.createhow3_u.obj_attributes = with_mode(mode);
  call<CREATE3res>(request, rpc_nfs3_create_async, arguments, [request, file = *info](const CREATE3res& reply) {
    const CREATE3resok& made = reply.CREATE3res_u.resok;
    answer_entry(request, bytes_of(made.obj), made.obj_attributes,
                 [&](const fuse_entry_param* entry) { return fuse_reply_create(request, entry, &file); });
  });
}

// Never more than the server's rtmax, so a short reply is the end of the file.
void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  call<READ3res>(
      request, rpc_nfs3_read_async,
      {.file = handle_of(request, node), .offset = static_cast<offset3>(offset), .count = static_cast<count3>(size)},
      [request](const READ3res& reply) {
        const auto& data = reply.READ3res_u.resok.data;
        fuse_reply_buf(request, data.data_val, data.data_len);
      });
}

// FILE_SYNC: nothing is left to be committed later, nor lost when the server restarts.
void write(fuse_req_t request, fuse_ino_t node, const char* bytes, std::size_t size, off_t offset, fuse_file_info*) {
  WRITE3args arguments{.file = handle_of(request, node),
                       .offset = static_cast<offset3>(offset),
                       .count = static_cast<count3>(size),
                       .stable = FILE_SYNC,
                       .data = {}};
  arguments.data = {.data_len = static_cast<u_int>(size), .data_val = const_cast<char*>(bytes)};
  call<WRITE3res>(request, rpc_nfs3_write_async, arguments,
                  [request](const WRITE3res& reply) { fuse_reply_write(request, reply.WRITE3res_u.resok.count); });
}

// ---- folders

// A listing in parts; the server's verifier says whether its cookies are still good.
struct OpenFolder {
  cookieverf3 verifier{};
};

OpenFolder* open_folder(const fuse_file_info* info) { return reinterpret_cast<OpenFolder*>(info->fh); }

void opendir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  info->fh = reinterpret_cast<std::uint64_t>(std::make_unique<OpenFolder>().release());
  if (fuse_reply_open(request, info) != 0) delete open_folder(info);
}

void releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete open_folder(info);
  fuse_reply_err(request, 0);
}

std::string listing(fuse_req_t request, const entry3* entries, std::size_t size_max) {
  std::string text(size_max, '\0');
  std::size_t used = 0;
  for (const entry3* entry = entries; entry != nullptr; entry = entry->nextentry) {
    struct stat status{};
    status.st_ino = entry->fileid;
    const std::size_t size = fuse_add_direntry(request, text.data() + used, size_max - used, entry->name, &status,
                                               static_cast<off_t>(entry->cookie));
    if (size > size_max - used) break;
    used += size;
  }
  text.resize(used);
  return text;
}

void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t cookie, fuse_file_info* info) {
  OpenFolder* folder = open_folder(info);
  if (cookie == 0) *folder = {};
  READDIR3args arguments{.dir = handle_of(request, node),
                         .cookie = static_cast<cookie3>(cookie),
                         .cookieverf = {},
                         .count = static_cast<count3>(size)};
  std::memcpy(arguments.cookieverf, folder->verifier, sizeof(cookieverf3));
  call<READDIR3res>(request, rpc_nfs3_readdir_async, arguments, [request, folder, size](const READDIR3res& reply) {
    const READDIR3resok& part = reply.READDIR3res_u.resok;
    std::memcpy(folder->verifier, part.cookieverf, sizeof(cookieverf3));
    const std::string text = listing(request, part.reply.entries, size);
    fuse_reply_buf(request, text.data(), text.size());
  });
}

// ---- the session

void init(void* user_data, fuse_conn_info* connection) {
  const Server& server = static_cast<FileSystem*>(user_data)->server;
  connection->max_write = std::min(transfer_size_max, server.write_size_max());
  connection->max_read = std::min(transfer_size_max, server.read_size_max());
  // Truncation comes as a SETATTR of its own: NFS has no open that could do it.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_ATOMIC_O_TRUNC);
}

constexpr fuse_lowlevel_ops operations{
    .init = init,
    .lookup = lookup,
    .forget = forget,
    .getattr = getattr,
    .setattr = setattr,
    .readlink = readlink,
    .mkdir = mkdir,
    .unlink = unlink,
    .rmdir = rmdir,
    .symlink = symlink,
    .rename = rename,
    .link = link,
    .open = open,
    .read = read,
    .write = write,
    .opendir = opendir,
    .readdir = readdir,
    .releasedir = releasedir,
    .statfs = statfs,
    .access = access,
    .create = create,
    .forget_multi = forget_multi,
};

}  // namespace

const fuse_lowlevel_ops& file_system_operations() { return operations; }

}  // namespace penstock::lab
