#include "api/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <initializer_list>
#include <optional>

#include "api/message_reader.h"
#include "base/ascii.h"
#include "reflect/go_text.h"
#include "reflect/ops.h"

namespace podium::api {
namespace {

constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kMicrosPerSecond = 1'000'000;

constexpr int64_t UnixSecondsOfYear(int year) {
  using std::chrono::January;
  return std::chrono::sys_days(std::chrono::year(year) / January / 1).time_since_epoch().count() *
         kSecondsPerDay;
}
constexpr int64_t kFirstSecond = UnixSecondsOfYear(0);
constexpr int64_t kEndSecond = UnixSecondsOfYear(10000);
static_assert(UnixSecondsOfYear(1) == kZeroTimeUnixSeconds);

bool IsInYears(int64_t unix_seconds) {
  return unix_seconds >= kFirstSecond && unix_seconds < kEndSecond;
}

// What RFC 3339 text says, before it is checked as a date.
struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t nanos = 0;
  int64_t offset_seconds = 0;
};

// Reads text by a Go layout, part by part, so that errors name the part as Go does.
class LayoutReader {
 public:
  LayoutReader(std::string_view text, std::string_view layout, bool six_fraction_digits)
      : text_(text), rest_(text), layout_(layout), six_fraction_digits_(six_fraction_digits) {}

  Result<Fields> Read();

 private:
  Error CannotParse(std::string_view part, std::string_view rest) const {
    return Error(Code::kInvalidArgument, "parsing time " + reflect::GoQuoted(text_) + " as " +
                                             reflect::GoQuoted(layout_) + ": cannot parse " +
                                             reflect::GoQuoted(rest) + " as " +
                                             reflect::GoQuoted(part));
  }
  Error Failed(std::string_view why) const {
    return Error(Code::kInvalidArgument,
                 "parsing time " + reflect::GoQuoted(text_) + ": " + std::string(why));
  }
  Result<void> Skip(char separator);
  Result<void> ReadYear(int* year);
  Result<void> ReadNumber(std::string_view part, int min, int max, std::string_view name,
                          int* value);
  Result<void> ReadFraction(int64_t* nanos);
  Result<void> ReadOffset(int64_t* seconds);

  std::string_view text_;
  std::string_view rest_;
  std::string_view layout_;
  bool six_fraction_digits_;
};

Result<void> LayoutReader::Skip(char separator) {
  if (!rest_.starts_with(separator)) return CannotParse({&separator, 1}, rest_);
  rest_.remove_prefix(1);
  return {};
}

Result<void> LayoutReader::ReadYear(int* year) {
  if (rest_.size() < 4 || !std::all_of(rest_.begin(), rest_.begin() + 4, IsDigit)) {
    return CannotParse("2006", rest_);
  }
  std::from_chars(rest_.data(), rest_.data() + 4, *year);
  rest_.remove_prefix(4);
  return {};
}

// Two digits; of an hour ("15") one is enough, which Go allows, against the RFC.
Result<void> LayoutReader::ReadNumber(std::string_view part, int min, int max,
                                      std::string_view name, int* value) {
  size_t digits = 0;
  while (digits < 2 && digits < rest_.size() && IsDigit(rest_[digits])) ++digits;
  if (digits < 2 && !(digits == 1 && part == "15")) return CannotParse(part, rest_);
  std::from_chars(rest_.data(), rest_.data() + digits, *value);
  rest_.remove_prefix(digits);
  if (*value < min || *value > max) return Failed(std::string(name) + " out of range");
  return {};
}

// [.,]digits, of any number, or of exactly six.
Result<void> LayoutReader::ReadFraction(int64_t* nanos) {
  size_t digits = 0;
  if (rest_.starts_with('.') || rest_.starts_with(',')) {
    while (digits + 1 < rest_.size() && IsDigit(rest_[digits + 1])) ++digits;
  }
  if (six_fraction_digits_) {
    if (digits < 6) return CannotParse(".000000", rest_);
    digits = 6;
  } else if (digits == 0) {
    return {};
  }
  *nanos = 0;
  for (size_t i = 0; i < 9; ++i) *nanos = *nanos * 10 + (i < digits ? rest_[i + 1] - '0' : 0);
  rest_.remove_prefix(digits + 1);
  return {};
}

Result<void> LayoutReader::ReadOffset(int64_t* seconds) {
  if (rest_.starts_with('Z')) {
    rest_.remove_prefix(1);
    return {};
  }
  constexpr std::string_view kPart = "Z07:00";
  if (rest_.size() < 6 || rest_[3] != ':') return CannotParse(kPart, rest_);
  std::string_view hold = rest_;
  auto number = [&](size_t at) {
    if (!IsDigit(hold[at]) || !IsDigit(hold[at + 1])) return -1;
    return (hold[at] - '0') * 10 + (hold[at + 1] - '0');
  };
  int hours = number(1);
  int minutes = hours < 0 ? -1 : number(4);
  // As Go: 24 hours and 60 minutes are let through.
  if (minutes > 60) return Failed("time zone offset minute out of range");
  if (hours > 24) return Failed("time zone offset hour out of range");
  if (hours < 0 || minutes < 0 || (hold[0] != '+' && hold[0] != '-')) {
    return CannotParse(kPart, hold);
  }
  *seconds = (int64_t{hours} * 60 + minutes) * 60;
  if (hold[0] == '-') *seconds = -*seconds;
  rest_.remove_prefix(6);
  return {};
}

Result<Fields> LayoutReader::Read() {
  Fields fields;
  TRY_VOID(ReadYear(&fields.year));
  TRY_VOID(Skip('-'));
  TRY_VOID(ReadNumber("01", 1, 12, "month", &fields.month));
  TRY_VOID(Skip('-'));
  TRY_VOID(ReadNumber("02", 0, 99, "day", &fields.day));
  TRY_VOID(Skip('T'));
  TRY_VOID(ReadNumber("15", 0, 23, "hour", &fields.hour));
  TRY_VOID(Skip(':'));
  TRY_VOID(ReadNumber("04", 0, 59, "minute", &fields.minute));
  TRY_VOID(Skip(':'));
  TRY_VOID(ReadNumber("05", 0, 59, "second", &fields.second));
  TRY_VOID(ReadFraction(&fields.nanos));
  TRY_VOID(ReadOffset(&fields.offset_seconds));
  if (!rest_.empty()) return Failed("extra text: " + reflect::GoQuoted(rest_));
  std::chrono::year_month_day date = std::chrono::year(fields.year) /
                                     std::chrono::month(static_cast<unsigned>(fields.month)) /
                                     static_cast<int>(fields.day);
  if (!date.ok()) return Failed("day out of range");
  return fields;
}

Result<Fields> ReadFields(std::string_view text, std::string_view layout,
                          bool six_fraction_digits) {
  return LayoutReader(text, layout, six_fraction_digits).Read();
}

// kInvalidArgument when the offset moves the time out of the years that have four digits.
Result<int64_t> UnixSeconds(const Fields& fields, std::string_view text) {
  std::chrono::sys_days date = std::chrono::year(fields.year) /
                               std::chrono::month(static_cast<unsigned>(fields.month)) / fields.day;
  int64_t seconds = date.time_since_epoch().count() * kSecondsPerDay +
                    (int64_t{fields.hour} * 60 + fields.minute) * 60 + fields.second -
                    fields.offset_seconds;
  if (IsInYears(seconds)) return seconds;
  return Error(Code::kInvalidArgument,
               "parsing time " + reflect::GoQuoted(text) + ": year out of range");
}

// The seconds of 2006-01-02T15:04:05Z, the form that everyone writes; all other texts, and the
// wording of mistakes, are the LayoutReader's.
std::optional<int64_t> ReadCommonForm(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !IsDigit(text[i]) : text[i] != kForm[i]) return std::nullopt;
  }
  auto pair = [&](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int hour = pair(11), minute = pair(14), second = pair(17);
  const std::chrono::year_month_day date = std::chrono::year(pair(0) * 100 + pair(2)) /
                                           std::chrono::month(static_cast<unsigned>(pair(5))) /
                                           pair(8);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kSecondsPerDay +
         (int64_t{hour} * 60 + minute) * 60 + second;
}

// Writes the number in `width` digits and returns the end.
char* PutDigits(char* to, int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + width;
}

// 2006-01-02T15:04:05, and .000000 when micros is not negative.
void AppendDateTime(int64_t unix_seconds, int64_t micros, std::string* out) {
  int64_t days = unix_seconds / kSecondsPerDay;
  int64_t second = unix_seconds % kSecondsPerDay;
  if (second < 0) {
    second += kSecondsPerDay;
    --days;
  }
  std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  std::array<char, sizeof("2006-01-02T15:04:05.000000Z")> text;
  char* end = PutDigits(text.data(), static_cast<int>(date.year()), 4);
  *end++ = '-';
  end = PutDigits(end, static_cast<unsigned>(date.month()), 2);
  *end++ = '-';
  end = PutDigits(end, static_cast<unsigned>(date.day()), 2);
  char separator = 'T';
  for (int64_t part : {second / 3600, second / 60 % 60, second % 60}) {
    *end++ = separator;
    end = PutDigits(end, part, 2);
    separator = ':';
  }
  if (micros >= 0) {
    *end++ = '.';
    end = PutDigits(end, micros, 6);
  }
  *end++ = 'Z';
  out->append(text.data(), end);
}

// The seconds at or before.
int64_t SecondsOf(int64_t micros) {
  return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0 ? 1 : 0);
}

void AppendText(const Time& time, std::string* out) {
  AppendDateTime(time.unix_seconds(), -1, out);
}
void AppendText(const MicroTime& time, std::string* out) {
  const int64_t seconds = SecondsOf(time.unix_micros());
  AppendDateTime(seconds, time.unix_micros() - seconds * kMicrosPerSecond, out);
}
void AppendText(const Duration& duration, std::string* out) { out->append(duration.String()); }

}  // namespace

Result<Time> Time::Parse(std::string_view text) {
  if (const std::optional<int64_t> seconds = ReadCommonForm(text)) return FromUnix(*seconds);
  TRY(Fields fields, ReadFields(text, "2006-01-02T15:04:05Z07:00", false));
  TRY(int64_t seconds, UnixSeconds(fields, text));
  return FromUnix(seconds);
}

std::string Time::String() const {
  std::string out;
  AppendText(*this, &out);
  return out;
}

Result<MicroTime> MicroTime::Parse(std::string_view text) {
  TRY(Fields fields, ReadFields(text, "2006-01-02T15:04:05.000000Z07:00", true));
  TRY(int64_t seconds, UnixSeconds(fields, text));
  return FromUnixMicros(seconds * kMicrosPerSecond + fields.nanos / 1000);
}

std::string MicroTime::String() const {
  std::string out;
  AppendText(*this, &out);
  return out;
}

namespace {

// JSON of the types whose text is a string: T::Parse and T::String.
template <class T>
bool TextFromJson(const reflect::JsonScalar& token, void* value, std::string* problem) {
  using Form = reflect::JsonScalar::Form;
  if (token.form == Form::kNull && !std::is_same_v<T, Duration>) {
    *static_cast<T*>(value) = T();
    return true;
  }
  if (token.form != Form::kString && token.form != Form::kNull) {
    *problem = reflect::GoJsonTypeError(token.form, "string");
    return false;
  }
  Result<T> parsed = T::Parse(token.form == Form::kNull ? std::string_view() : token.text);
  if (!parsed.ok()) {
    *problem = parsed.error().message();
    return false;
  }
  *static_cast<T*>(value) = *parsed;
  return true;
}

template <class T>
void TextToJson(const void* value, std::string* out) {
  const T& t = *static_cast<const T*>(value);
  if (!std::is_same_v<T, Duration> && t.IsZero()) {
    out->append("null");
    return;
  }
  out->push_back('"');
  AppendText(t, out);
  out->push_back('"');
}

// message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }; no bytes at all are
// the zero time.
struct Timestamp {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

bool ReadTimestamp(std::string_view message, Timestamp* timestamp, std::string* problem) {
  MessageReader reader(message);
  while (reader.Next()) {
    if (!reader.is_varint()) continue;
    if (reader.number() == 1) timestamp->seconds = static_cast<int64_t>(reader.varint());
    if (reader.number() == 2) timestamp->nanos = static_cast<int32_t>(reader.varint());
  }
  if (!reader.ok()) {
    *problem = kMalformedMessage;
    return false;
  }
  // A nanosecond count of int32 reaches two seconds and a bit either way.
  if (IsInYears(timestamp->seconds) && timestamp->nanos >= 0 && timestamp->nanos < 1'000'000'000) {
    return true;
  }
  *problem = "time out of range";
  return false;
}

bool TimeFromProto(std::string_view message, void* value, std::string* problem) {
  Timestamp timestamp{.seconds = message.empty() ? kZeroTimeUnixSeconds : 0};
  if (!ReadTimestamp(message, &timestamp, problem)) return false;
  *static_cast<Time*>(value) = Time::FromUnix(timestamp.seconds);
  return true;
}

void TimeToProto(const void* value, std::string* out) {
  const Time& time = *static_cast<const Time*>(value);
  if (time.IsZero()) return;
  AppendVarintField(1, static_cast<uint64_t>(time.unix_seconds()), out);
  AppendVarintField(2, 0, out);
}

bool MicroTimeFromProto(std::string_view message, void* value, std::string* problem) {
  Timestamp timestamp{.seconds = message.empty() ? kZeroTimeUnixSeconds : 0};
  if (!ReadTimestamp(message, &timestamp, problem)) return false;
  *static_cast<MicroTime*>(value) =
      MicroTime::FromUnixMicros(timestamp.seconds * kMicrosPerSecond + timestamp.nanos / 1000);
  return true;
}

void MicroTimeToProto(const void* value, std::string* out) {
  const MicroTime& time = *static_cast<const MicroTime*>(value);
  if (time.IsZero()) return;
  int64_t seconds = SecondsOf(time.unix_micros());
  AppendVarintField(1, static_cast<uint64_t>(seconds), out);
  AppendVarintField(
      2, static_cast<uint64_t>(time.unix_micros() - seconds * kMicrosPerSecond) * 1000, out);
}

// message Duration { optional int64 duration = 1; }
bool DurationFromProto(std::string_view message, void* value, std::string* problem) {
  auto& duration = *static_cast<Duration*>(value);
  duration = Duration();
  MessageReader reader(message);
  while (reader.Next()) {
    if (reader.number() != 1 || !reader.is_varint()) continue;
    duration = Duration::FromNanos(static_cast<int64_t>(reader.varint()));
  }
  if (!reader.ok()) *problem = kMalformedMessage;
  return reader.ok();
}

void DurationToProto(const void* value, std::string* out) {
  AppendVarintField(1, static_cast<uint64_t>(static_cast<const Duration*>(value)->nanos()), out);
}

template <class T>
constexpr reflect::Leaf MakeTextLeaf(const char* description,
                                     bool (*from_proto)(std::string_view, void*, std::string*),
                                     void (*to_proto)(const void*, std::string*)) {
  reflect::Leaf leaf = reflect::MakeLeaf<T>();
  leaf.description = description;
  leaf.from_json = TextFromJson<T>;
  leaf.to_json = TextToJson<T>;
  leaf.from_proto = from_proto;
  leaf.to_proto = to_proto;
  return leaf;
}

constexpr reflect::Leaf kTimeLeaf =
    MakeTextLeaf<Time>("A time, as RFC 3339 with whole seconds.", TimeFromProto, TimeToProto);
constexpr reflect::Leaf kMicroTimeLeaf = MakeTextLeaf<MicroTime>(
    "A time, as RFC 3339 with six fraction digits.", MicroTimeFromProto, MicroTimeToProto);
constexpr reflect::Leaf kDurationLeaf =
    MakeTextLeaf<Duration>("A span of time, such as 1h2m3.5s.", DurationFromProto, DurationToProto);

constexpr reflect::Package kPackage = {"", "v1", "k8s.io.apimachinery.pkg.apis.meta.v1",
                                       "k8s.io/apimachinery/pkg/apis/meta/v1"};

template <class T>
constexpr reflect::Type MakeTextType(const char* name, const reflect::Leaf* leaf) {
  return reflect::Type{
      .name = name,
      .package = &kPackage,
      .fields = {},
      .proto_rows = {},
      .leaf = leaf,
      .create = reflect::CreateStruct<T>,
      .destroy = reflect::DestroyStruct<T>,
      .size = sizeof(T),
      .form = reflect::Form::kLeaf,
      .flags = 0,
  };
}

}  // namespace

constinit const reflect::Type kTimeType = MakeTextType<Time>("Time", &kTimeLeaf);
constinit const reflect::Type kMicroTimeType =
    MakeTextType<MicroTime>("MicroTime", &kMicroTimeLeaf);
constinit const reflect::Type kDurationType = MakeTextType<Duration>("Duration", &kDurationLeaf);

}  // namespace podium::api
