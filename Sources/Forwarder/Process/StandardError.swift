import Glibc

/// Lines for the person at the terminal; the log goes to standard output.
public enum StandardError {
    public static func write(_ line: String) {
        StandardOutput.write(Array((line + "\n").utf8), to: STDERR_FILENO)
    }
}
