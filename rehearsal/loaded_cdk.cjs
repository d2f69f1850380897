// The CDK CLI, loaded once: it takes a line of JSON for each command, and answers with one.
const { exec } = require(process.argv[2]);
const { createInterface } = require("node:readline");

const answer = process.stdout.write.bind(process.stdout);
const said = {};
for (const name of ["stdout", "stderr"]) {
  process[name].write = (text, encoding, done) => {
    said[name] += text;
    (typeof encoding === "function" ? encoding : done)?.();
    return true;
  };
}

async function run({ folder, environment, command }) {
  Object.assign(said, { stdout: "", stderr: "" });
  process.chdir(folder);
  for (const name in process.env) delete process.env[name];
  Object.assign(process.env, environment);
  let exit_code = 1;
  try {
    exit_code = (await exec(command.slice(1))) ?? 0;
  } catch (error) {
    said.stderr += `${error.message}\n`; // as the CLI itself ends
  }
  answer(`${JSON.stringify({ exit_code, ...said })}\n`);
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    await run(JSON.parse(line));
  }
}

main();
