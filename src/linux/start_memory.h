// What a program's start leaves behind in memory. A start runs through much code once (tables,
// certificates, keys, first objects), and the kernel maps sixteen pages around each that is used:
// some ten MiB that nobody touches again, in a server and in each agent.
//
// Threads: any; other threads may go on meanwhile, at the price of page faults.
#pragma once

namespace podium::kernel {

// Unmaps the pages of programs and libraries (mappings of files that nobody may write to and that
// nobody has written to: breakpoints and relocations stay), and gives free memory of malloc back.
// What is needed again comes from the page cache, one fault of a microsecond for sixteen pages. To
// be called once, when the program rests. Failures leave the memory as it was.
void ReleaseStartMemory();

}  // namespace podium::kernel
