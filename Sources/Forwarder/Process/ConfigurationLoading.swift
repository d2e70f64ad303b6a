import ConfigFile
import ForwarderCore

/// A configuration from its file, or everything that is wrong with it.
public enum ConfigurationLoading {
    public struct Refused: Error {
        /// One line each, in the order of the file.
        public var problems: [String]
    }

    public struct Loaded {
        public var configuration: Configuration
        public var warnings: [String]
    }

    public static func load(_ path: String) throws(Refused) -> Loaded {
        let node: ConfigNode
        do throws(ConfigFileError) {
            node = try ConfigFile.load(path)
        } catch {
            // What cannot be read is said with its path already.
            if case .unreadable = error { throw Refused(problems: ["\(error)"]) }
            throw Refused(problems: ["\(path): \(error)"])
        }
        switch Configuration.decode(node) {
        case .valid(let configuration, let warnings):
            return Loaded(configuration: configuration, warnings: warnings.map { "\(path): \($0)" })
        case .invalid(let problems): throw Refused(problems: problems.map { "\(path): \($0)" })
        }
    }
}
