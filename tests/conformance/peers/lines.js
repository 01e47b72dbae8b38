// What the programs in JavaScript share: a job a line, an answer a line.
const fs = require('fs');
const readline = require('readline');

module.exports = async function answer(decrypt) {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [message, identity, out] = line.split('\t');
        const read = (name) => fs.readFileSync(`${identity}/${name}`);
        try {
            const plaintext = await decrypt(fs.readFileSync(message), read);
            fs.writeFileSync(out, plaintext);
            console.log('OK');
        } catch (error) {
            console.log('refused: ' + String(error && error.message).replace(/\n/g, ' '));
        }
    }
};
