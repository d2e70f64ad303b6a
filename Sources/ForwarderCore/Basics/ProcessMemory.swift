/// How this process treats the memory that it frees.
public enum ProcessMemory {
    /// Lets glibc keep freed blocks of up to 32 MiB instead of giving them back to the system: a batch is a megabyte or
    /// two, and faulting its pages in again costs as much as the whole intake. To be called once, at the start.
    ///
    /// glibc learns it from example: when a large block that it got from the system is freed, blocks of that size come
    /// from the heap from then on, and the heap shrinks only when twice as much is free at its end (mallopt(3), dynamic
    /// threshold). The block is never touched, so it costs nothing.
    public static func keepFreed() {
        UnsafeMutableRawPointer.allocate(byteCount: (32 << 20) - (64 << 10), alignment: 16).deallocate()
    }
}
