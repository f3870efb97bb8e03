//! The server's chassis: connections, runtimes and the gRPC framing around one unary method.
