"""The scenes: what the clients of the recording say and do. Frames are literals, written as a client might write them.

Each scene has users and rooms of its own, so that a new scene changes nothing in the others. In the call scenes nobody
waits when they begin or end, because whom a request finds is otherwise up to chance.
"""
