// Backup, restore, and what to do about a damaged file. docs/store.md is for who runs a server.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace podium::store {

struct Copied {
  Revision revision = 0;  // of the state that was copied
  int64_t keys = 0;
  int64_t lost = 0;  // damaged rows, and places that cannot be read; when saving what is left
};

// Copies the newest state of a store, whatever kind of store it is, into a new file, while it goes
// on: the state is read from memory, so that writes wait for nothing. No history is copied. The
// file is whole and synced when it appears under its name, and can be read by its owner only.
// kAlreadyExists when something has that name.
Result<Copied> Backup(Store& store, const std::string& path);

struct RestoreOptions {
  std::string from;  // a backup, or the file of a store that is not open
  std::string to;    // the file of the new store: nothing may have that name
  // By how much the new store's revision is greater than the copy's. Clients have seen revisions
  // that the copy does not know, and must never see one of them again with another meaning; nor
  // may a watch go on from one: the new store is compacted at its first revision, so that each
  // client lists again. Greater than the number of changes since the copy was made.
  Revision skip = 1'000'000'000;
  // Of a damaged file: take every row that can be read and is what was written, instead of an
  // error at the first that is not. Of each key the newest such row counts, so that an object may
  // be an older one, and one that was deleted may be back.
  bool save_what_is_left = false;
};

// Makes the file of a new store from a copy of one. The source is only read; there has to be room
// for it twice beside `to`. Errors: kNotFound, kAlreadyExists, kDataLoss: the source is damaged;
// kInvalidArgument: it is no store; kUnavailable: the source is open.
Result<Copied> Restore(const RestoreOptions& options);

}  // namespace podium::store
