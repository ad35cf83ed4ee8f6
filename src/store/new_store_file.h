// A store's file that is made as a whole: a new one, a backup, a restored one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/entry.h"

namespace podium::store {

// Makes the file of a store that has these entries, which are not deleted, and no history. It
// appears under its name when all of it is on disk, and otherwise not at all; it can be read by its
// owner only. Two syncs, however much is in it. kAlreadyExists when something has the name,
// or that of its log.
Result<void> MakeStoreFile(const std::string& path, std::vector<EntryPtr> entries,
                           Revision compacted);

}  // namespace podium::store
