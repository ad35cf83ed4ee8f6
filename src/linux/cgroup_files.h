// Folders and files of a cgroup tree, reached by descriptors. Of this room only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// The segments of a path below a root; empty for the root itself. kInvalidArgument for anything
// that could leave it, or that is no name of a cgroup.
Result<std::vector<std::string>> CgroupSegments(std::string_view path);

// Opens a folder below `at`: no link is followed and no other file system entered (openat2,
// RESOLVE_BENEATH). The empty path is `at` itself. kNotFound.
Result<UniqueFd> OpenCgroup(int at, const std::string& path);

// True if it was not there.
Result<bool> MakeCgroup(int at, const std::string& name);

Result<UniqueFd> OpenCgroupFile(int folder, const std::string& name, int flags);
// All of it, without the line end behind the last line.
Result<std::string> ReadCgroupFile(int folder, const std::string& name);
// In one write, which is how the kernel takes it. The error says file and value.
Result<void> WriteCgroupFile(int folder, const std::string& name, std::string_view value);
bool HasCgroupFile(int folder, const std::string& name);

// The names of the folders in a folder.
Result<std::vector<std::string>> ChildCgroups(int folder);

// A number; none for "max", for what is no number, and for v1's "no limit" (close to 2^63).
std::optional<uint64_t> ParseCgroupNumber(std::string_view text);
std::optional<uint64_t> ReadCgroupNumber(int folder, const std::string& name);

// "key number" lines; what reads otherwise is left out. Empty where the file is not there.
std::map<std::string, uint64_t, std::less<>> ReadCgroupTable(int folder, const std::string& name);
uint64_t TableValue(const std::map<std::string, uint64_t, std::less<>>& table,
                    std::string_view key);

// The words of a text, split at blanks and line ends; its lines.
std::vector<std::string_view> CgroupWords(std::string_view text);
std::vector<std::string_view> CgroupLines(std::string_view text);

}  // namespace podium::kernel
