import js from "@eslint/js";
import globals from "globals";

const SHAPE = {
  "max-lines": ["error", 300], // one module holds one thing
  "max-lines-per-function": ["error", 30], // a function fits on a screen
};

export default [
  { ignores: [".venv/", "data/"] },
  js.configs.recommended,
  {
    rules: {
      "max-len": ["error", { code: 120 }], // Prettier does not break comments and strings
      eqeqeq: "error", // `==` converts its operands
      "no-implicit-globals": "error",
      "no-shadow": "error", // two things of one name get two names
      // `{ dropped: _, ...rest }` copies an object without a field.
      "no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["*/static/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      ...SHAPE,
      // What a person types or sends becomes text nodes, never HTML. The Content-Security-Policy forbids the rest.
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
          property,
          message: "Use text nodes.",
        })),
      ],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-alert": "error",
    },
  },
  {
    files: ["tests/**/*.js", "benchmarks/**/*.js"],
    languageOptions: { globals: globals.node },
  },
];
