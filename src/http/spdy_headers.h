// The header blocks of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, section 2.6.10): pairs of names and
// values, compressed by zlib with SPDY's dictionary, in one stream for all blocks of a direction.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace podium::http {

struct SpdyHeaderLimits {
  // Of a block, when it is decompressed: a few bytes inflate to a thousand times as many.
  size_t max_block = size_t{32} << 10;
  size_t max_fields = 100;
};

// Packs the blocks of one direction, in the order in which they are sent. They are stored, not
// deflated: a block is some dozens of bytes, a compressor is 256 KiB for each connection, and what
// is not compressed gives nothing away by its length (CRIME). Each ends with an empty stored block,
// as Go's decompressor hands out what it has only there.
class SpdyHeaderWriter {
 public:
  // Names are sent in lower case. kInvalidArgument: more than fits into a block of zlib (64 KiB).
  Result<std::string> Pack(const Headers& headers);

 private:
  bool begun_ = false;
};

// Unpacks the blocks of one direction: all of them, in the order in which they came. 40 KiB, from
// the first block on.
class SpdyHeaderReader {
 public:
  explicit SpdyHeaderReader(SpdyHeaderLimits limits = {});
  ~SpdyHeaderReader();
  SpdyHeaderReader(const SpdyHeaderReader&) = delete;
  SpdyHeaderReader& operator=(const SpdyHeaderReader&) = delete;

  // Values that were sent in one field (separated by NUL) are fields of their own here.
  // kInvalidArgument: no such block, or names that are not in lower case or come twice;
  // kResourceExhausted past a limit. After either no further block can be read.
  Result<Headers> Unpack(std::string_view block);

 private:
  struct Inflater;
  Result<std::string> Inflate(std::string_view block);
  Result<Headers> Parse(std::string_view text) const;

  const SpdyHeaderLimits limits_;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace podium::http
