// What a C library does before main and what the compiler calls by name: programs of this folder
// have none.
#include "runtime/shim/start.h"

#include <cstddef>
#include <cstdint>

#include "runtime/shim/syscalls.h"

// The stack at the start: argc, argv, NULL, envp, NULL, the auxiliary vector.
#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call ProgramStart\n"
    "  ud2\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    ".type _start, %function\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl ProgramStart\n"
    "  brk #1\n");
#endif

extern "C" {

[[noreturn, gnu::used]] void ProgramStart(const uintptr_t* stack) {
  using namespace podium::runtime::shim;
  sys::Exit(Main(static_cast<int>(stack[0]),
                 reinterpret_cast<char**>(const_cast<uintptr_t*>(stack + 1))));
}

// What std::string_view's checks end in (std::__throw_out_of_range_fmt): a bug of ours.
[[noreturn]] void OutOfRange(const char*, ...) __asm__("_ZSt24__throw_out_of_range_fmtPKcz");
void OutOfRange(const char* /*format*/, ...) { __builtin_trap(); }

// NOLINTBEGIN(readability-identifier-naming): the compiler's names for them.
//
// The loops below must not become calls of what they define: -fno-builtin for this file.
void* memcpy(void* to, const void* from, size_t size) {
#if defined(__x86_64__)
  void* result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return result;
#else
  for (size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
  return to;
#endif
}

void* memmove(void* to, const void* from, size_t size) {
  if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= size) {
    return memcpy(to, from, size);
  }
  for (size_t i = size; i > 0; --i) {
    static_cast<char*>(to)[i - 1] = static_cast<const char*>(from)[i - 1];
  }
  return to;
}

void* memset(void* to, int value, size_t size) {
#if defined(__x86_64__)
  void* result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return result;
#else
  for (size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<char>(value);
  return to;
#endif
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

void* memchr(const void* in, int value, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(in);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(bytes + i);
  }
  return nullptr;
}

size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

// NOLINTEND(readability-identifier-naming)

}  // extern "C"
