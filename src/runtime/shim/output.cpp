// What containers print: into their log files and to attached readers. What can hold a container up
// is the disk, and a log that is to be rotated first (hold.cpp); a log that takes no more loses
// lines, an attached reader too slow loses bytes, and both are counted.
#include <asm/errno.h>
#include <asm/mman.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/poll.h>

#include "runtime/shim/log_lines.h"
#include "runtime/shim/shim.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr size_t kChunk = 16384;
constexpr int kChunksPerTurn = 4;     // then others have theirs
constexpr int kChunksAtTheEnd = 256;  // a pipe holds 1 MiB at most
constexpr size_t kEntriesPerWrite = 60;
constexpr size_t kPartsPerEntry = 4;  // prefix, head, tail, line feed
constexpr size_t kPrefixSize = kLogTimeSize + sizeof(" stdout F ") - 1;

char g_chunk[kChunk];

// Entries on their way into the log, as parts of one writev.
class EntryWriter {
 public:
  EntryWriter(Process& process, uint32_t stream) : process_(process) {
    FormatLogTime(Now(), time_);
    for (size_t full = 0; full < 2; ++full) {
      char* to = prefixes_[full];
      __builtin_memcpy(to, time_, kLogTimeSize);
      __builtin_memcpy(to + kLogTimeSize, stream == 0 ? " stdout " : " stderr ", 8);
      to[kPrefixSize - 2] = full == 1 ? 'F' : 'P';
      to[kPrefixSize - 1] = ' ';
    }
  }

  void Add(const LogEntry& entry) {
    if (process_.log < 0) return;
    AddPart({prefixes_[entry.full ? 1 : 0], kPrefixSize});
    AddPart(entry.head);
    AddPart(entry.tail);
    AddPart("\n");
    if (count_ == kEntriesPerWrite * kPartsPerEntry) Flush();
  }

  // Writes what was added; what the file does not take is lost.
  void Flush() {
    if (count_ == 0) return;
    iovec* part = parts_;
    size_t left = count_;
    count_ = 0;
    if (process_.torn) {
      // The rest of a line is lost; its beginning ends here.
      const long size = sys::Write(process_.log, "\n", 1);
      if (size != 1) return Lose(part, left, size);
      process_.torn = false;
    }
    while (left > 0) {
      const long size = sys::Writev(process_.log, part, static_cast<int>(left));
      if (size == -EINTR) continue;
      if (size <= 0) return Lose(part, left, size);
      auto written = static_cast<size_t>(size);
      process_.log_written += written;
      while (left > 0 && written >= part->iov_len) {
        written -= part->iov_len;
        ++part;
        --left;
      }
      if (left > 0) {
        part->iov_base = static_cast<char*>(part->iov_base) + written;
        part->iov_len -= written;
        process_.torn = left % kPartsPerEntry != 0 || written > 0;
      } else {
        process_.torn = false;
      }
    }
    Recover();
    if (process_.log_written - process_.log_reported >= kLogStep) ReportGrowth(process_);
  }

 private:
  void AddPart(std::string_view text) {
    parts_[count_++] = {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  }

  void Lose(const iovec* part, size_t left, long error) {
    for (size_t i = 0; i < left; ++i) process_.state.log_lost += part[i].iov_len;
    if (process_.log_failing) return;
    process_.log_failing = true;
    Report(error < 0 ? static_cast<int32_t>(-error) : ENOSPC);
  }

  void Recover() {
    if (!process_.log_failing) return;
    process_.log_failing = false;
    Report(0);
  }

  void Report(int32_t error) {
    LogTrouble trouble = {};
    CopyText(process_.state.id, trouble.id, sizeof(trouble.id));
    trouble.error = error;
    trouble.lost = process_.state.log_lost;
    SendEvent(MessageType::kLogTrouble, &trouble.header, sizeof(trouble));
  }

  Process& process_;
  char time_[kLogTimeSize];
  char prefixes_[2][kPrefixSize];
  iovec parts_[kEntriesPerWrite * kPartsPerEntry];
  size_t count_ = 0;
};

// Mapped when a line first stays unfinished, so that most containers never have one.
bool HavePartial(Stream& stream) {
  if (stream.partial != nullptr) return true;
  const long address =
      sys::Mmap(kPartialSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!sys::IsMapped(address)) return false;
  stream.partial = sys::Pointer<char>(address);
  return true;
}

void LogChunk(Process& process, uint32_t index, std::string_view chunk) {
  Stream& stream = process.streams[index];
  if (process.log < 0) return;
  if (!HavePartial(stream)) {
    process.state.log_lost += chunk.size();
    return;
  }
  EntryWriter writer(process, index);
  LogCutter cutter(stream.partial, stream.partial_size, chunk);
  LogEntry entry;
  while (cutter.Next(&entry)) writer.Add(entry);
  writer.Flush();
  stream.partial_size = static_cast<uint32_t>(cutter.Keep(stream.partial));
}

void SendToReaders(Process& process, uint32_t index, std::string_view chunk) {
  for (auto& reader : process.attached) {
    int& fd = reader[index];
    if (fd < 0) continue;
    const long size = sys::Write(fd, chunk.data(), chunk.size());
    const size_t taken = size > 0 ? static_cast<size_t>(size) : 0;
    if (size < 0 && size != -EAGAIN && size != -EINTR) {
      CloseFd(&fd);
    } else {
      process.state.attach_lost += chunk.size() - taken;
    }
  }
}

void EndStream(Process& process, uint32_t index) {
  Stream& stream = process.streams[index];
  if (stream.partial_size > 0) {
    EntryWriter writer(process, index);
    writer.Add({.head = {stream.partial, stream.partial_size}, .tail = {}, .full = false});
    writer.Flush();
    stream.partial_size = 0;
  }
  if (stream.partial != nullptr) {
    sys::Call(__NR_munmap, stream.partial, kPartialSize);
    stream.partial = nullptr;
  }
  if (stream.fd >= 0) {
    // Whoever attached holds the same terminal open: closing it does not end the watch.
    Unwatch(stream.fd);
    CloseFd(&stream.fd);
  }
  for (auto& reader : process.attached) CloseFd(&reader[index]);
}

// False when the stream has ended or has nothing to say now.
bool ReadChunk(Process& process, uint32_t index) {
  Stream& stream = process.streams[index];
  const long size = sys::Read(stream.fd, g_chunk, sizeof(g_chunk));
  if (size == -EAGAIN || size == -EINTR) return false;
  // EIO: the last one who had the terminal open has closed it.
  if (size <= 0) {
    EndStream(process, index);
    return false;
  }
  const std::string_view chunk(g_chunk, static_cast<size_t>(size));
  SendToReaders(process, index, chunk);
  LogChunk(process, index, chunk);
  return true;
}

}  // namespace

void ReadStream(Process& process, uint32_t stream) {
  for (int i = 0; i < kChunksPerTurn && process.streams[stream].fd >= 0; ++i) {
    if (MustWait(process) && Hold(process)) return;
    if (!ReadChunk(process, stream)) return;
  }
}

void ReportGrowth(Process& process) {
  process.log_reported = process.log_written;
  LogGrown grown = {};
  CopyText(process.state.id, grown.id, sizeof(grown.id));
  grown.written = process.log_written;
  SendEvent(MessageType::kLogGrown, &grown.header, sizeof(grown));
}

void FinishOutput(Process& process) {
  for (uint32_t stream = 0; stream < 2; ++stream) {
    for (int i = 0; i < kChunksAtTheEnd && process.streams[stream].fd >= 0; ++i) {
      if (!ReadChunk(process, stream)) break;
    }
    // Others may still hold the pipe (a pid namespace shared with the pod or host): the log goes on
    // for them, readers' wait is over.
    for (auto& reader : process.attached) CloseFd(&reader[stream]);
  }
}

void EndOutput(Process& process) {
  FinishOutput(process);
  for (uint32_t stream = 0; stream < 2; ++stream) EndStream(process, stream);
}

bool CanAttach(Process& process) {
  for (auto& reader : process.attached) {
    for (int& fd : reader) {
      // Gone without a word, while the container printed nothing.
      pollfd poll = {.fd = fd, .events = 0, .revents = 0};
      const __kernel_timespec no_wait = {.tv_sec = 0, .tv_nsec = 0};
      if (fd >= 0 && sys::Call(__NR_ppoll, &poll, 1, &no_wait, nullptr, 0) > 0) CloseFd(&fd);
    }
    if (reader[0] < 0 && reader[1] < 0) return true;
  }
  return false;
}

void AttachOutput(Process& process, int out, int err) {
  for (auto& reader : process.attached) {
    if (reader[0] >= 0 || reader[1] >= 0) continue;
    reader[0] = out;
    reader[1] = err;
    for (const int fd : reader) {
      if (fd < 0) continue;
      const long flags = sys::Fcntl(fd, F_GETFL, 0);
      sys::Fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    return;
  }
}

}  // namespace podium::runtime::shim
