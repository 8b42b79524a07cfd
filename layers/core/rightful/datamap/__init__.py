"""Reads, checks and compiles the data map. For the command line and the build; a Lambda uses `rightful.compiled`.

source --(document)--> plain values with lines --(load)--> DataMap --(checks, kinds)--> findings
                                                              |---(access)--> store-access template
                                                              '---(rightful.compiled)--> JSON for the Lambdas
"""
