// GrowingHeap: huge pages for what the main thread keeps in memory.
//
// Histories are larger than any cache, and on small pages finding the page is half the price of a miss
// (docs/performance.md). glibc grows the main thread's heap by steps; what a step has added is offered to the kernel
// for huge pages before it is touched (madvise(2), MADV_HUGEPAGE). Where the kernel has none or another allocator is in
// use, nothing is lost. Threads: the main one.
#pragma once

namespace keyvigil {

class GrowingHeap {
 public:
  // From now on the heap grows in large steps, and buffers below 32 MiB lie in it.
  GrowingHeap();
  // What was added since the last time. Cheap where nothing was: call it often.
  void offer();

 private:
  char* offered_to_;
};

}  // namespace keyvigil
